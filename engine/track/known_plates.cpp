// Edit distance in which every edit costs the negative logarithm of its counted probability.
#include "lprnet/known_plates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>

#include "engine/boundary.h"
#include "engine/text/utf8.h"
#include "engine/track/confusions.h"

namespace lprnet {
namespace {

// What is longer is no plate.
constexpr std::size_t kMaxCharacters = 64;
constexpr std::size_t kMaxBytes = 256;

struct Characters {
    std::array<std::string_view, kMaxCharacters> all;
    std::size_t count = 0;
    bool fits = true;
};

Characters split(std::string_view text) noexcept {
    Characters characters;
    characters.fits = text.size() <= kMaxBytes;
    for (std::size_t i = 0; characters.fits && i < text.size();) {
        const std::size_t end = i + first_character_size(text.substr(i));
        characters.fits = characters.count < kMaxCharacters;
        if (characters.fits) characters.all[characters.count++] = text.substr(i, end - i);
        i = end;
    }
    return characters;
}

// Costs of edits from counts. A pair that was not counted is not impossible: each character counts
// as seen 50 more times, in which 5 % were misread as any of 70 others, so that characters that
// were seldom seen behave like the others.
constexpr double kMore = 50.0;
constexpr double kMoreMisread = 0.05;
constexpr double kOthers = 70.0;

// What is counted of reading one character, or, for an empty one, of characters that were not
// there.
class Counted {
public:
    explicit Counted(std::string_view expected) noexcept : expected_(expected) {
        for (const Seen& seen : seen_characters()) {
            if (expected.empty() || expected == seen.character) seen_ += seen.count;
        }
        // The table is in the order of `expected`.
        const std::span<const Confusion> all = confusions();
        const auto is_same = [&](const Confusion& c) { return expected == c.expected; };
        const auto begin = std::find_if(all.begin(), all.end(), is_same);
        const auto end = std::find_if_not(begin, all.end(), is_same);
        own_ = std::span(begin, end);
        for (const Confusion& confusion : own_) misread_ += confusion.count;
    }

    // The negative logarithm of the share that was read as `found`, which may be empty.
    double cost(std::string_view found) const noexcept {
        double count = kMore * kMoreMisread / kOthers;
        if (expected_ == found) {
            count = seen_ - misread_ + kMore * (1.0 - kMoreMisread);
        } else {
            for (const Confusion& confusion : own_) {
                if (found == confusion.found) count += confusion.count;
            }
        }
        return -std::log(count / (seen_ + kMore));
    }

private:
    std::string_view expected_;
    double seen_ = 0.0;
    double misread_ = 0.0;
    std::span<const Confusion> own_;
};

// How a text may be read from plates.
class Distance {
public:
    explicit Distance(const Characters& text) : text_(text) {
        const Counted none("");
        for (std::size_t j = 0; j < text.count; ++j) added_[j] = none.cost(text.all[j]);
    }

    // The cheapest way to read the text from `plate`; infinity where none is as cheap as `limit`.
    double from(const Characters& plate, double limit) const noexcept {
        std::array<double, kMaxCharacters + 1> row = {};
        for (std::size_t j = 0; j < text_.count; ++j) row[j + 1] = row[j] + added_[j];
        for (std::size_t i = 0; i < plate.count; ++i) {
            const Counted counted(plate.all[i]);
            const double missed = counted.cost("");
            double diagonal = row[0];
            double least = row[0] += missed;
            for (std::size_t j = 0; j < text_.count; ++j) {
                const double above = row[j + 1];
                row[j + 1] = std::min(
                    {diagonal + counted.cost(text_.all[j]), above + missed, row[j] + added_[j]});
                diagonal = above;
                least = std::min(least, row[j + 1]);
            }
            // No edit costs less than nothing.
            if (least > limit) return std::numeric_limits<double>::infinity();
        }
        return row[text_.count];
    }

private:
    const Characters& text_;
    std::array<double, kMaxCharacters> added_ = {};
};

}  // namespace

Result<std::vector<KnownPlates::Match>> KnownPlates::find(const std::string& text,
                                                          std::size_t count,
                                                          double least_likelihood) const noexcept {
    return guarded([&]() -> Result<std::vector<Match>> {
        constexpr double kFar = std::numeric_limits<double>::infinity();
        const Characters read = split(text);
        const Distance distance(read);
        const double own = read.fits ? distance.from(read, kFar) : 0.0;
        // A little more, since exp() and log() are rounded.
        const double limit =
            least_likelihood > 0.0 ? own - std::log(least_likelihood) + 1e-9 : kFar;
        std::vector<Match> matches;
        for (std::size_t i = 0; i < plates_.size(); ++i) {
            double likelihood = plates_[i] == text ? 1.0 : 0.0;
            if (likelihood == 0.0 && read.fits) {
                const Characters plate = split(plates_[i]);
                if (plate.fits) {
                    likelihood = std::min(1.0, std::exp(own - distance.from(plate, limit)));
                }
            }
            if (likelihood >= least_likelihood) matches.push_back({i, likelihood});
        }
        std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
            return a.likelihood > b.likelihood;
        });
        if (matches.size() > count) matches.resize(count);
        return matches;
    });
}

}  // namespace lprnet
