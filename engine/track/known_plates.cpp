// Edit distance in which every edit costs the negative logarithm of its counted probability.
#include "lprnet/known_plates.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "engine/track/confusions.h"

namespace lprnet {
namespace {

using Characters = std::vector<std::string_view>;

// Continuation bytes stay with the byte before them, also in text that is not UTF-8.
Characters split(std::string_view text) {
    Characters characters;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i + 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
        characters.push_back(text.substr(i, end - i));
        i = end;
    }
    return characters;
}

// Costs of edits from counts. A pair that was not counted is not impossible: each character counts
// as seen 50 more times, in which 5 % were misread as any of 70 others, so that characters that
// were seldom seen behave like the others.
class Costs {
public:
    Costs() {
        for (const Seen& seen : seen_characters()) {
            seen_[seen.character] = seen.count;
            all_ += seen.count;
        }
        for (const Confusion& confusion : confusions()) {
            counts_[{confusion.expected, confusion.found}] = confusion.count;
            if (*confusion.expected != '\0') misread_[confusion.expected] += confusion.count;
        }
    }

    // Of reading `expected` as `found`, either of which may be empty.
    double operator()(std::string_view expected, std::string_view found) const {
        const double seen = expected.empty() ? all_ : find(seen_, expected);
        const double count =
            expected == found
                ? seen - find(misread_, expected) + kMore * (1.0 - kMoreMisread)
                : find(counts_, std::pair(expected, found)) + kMore * kMoreMisread / kOthers;
        return -std::log(count / (seen + kMore));
    }

private:
    static constexpr double kMore = 50.0;
    static constexpr double kMoreMisread = 0.05;
    static constexpr double kOthers = 70.0;

    template <class Map, class Key>
    static double find(const Map& map, const Key& key) {
        const auto it = map.find(key);
        return it == map.end() ? 0.0 : it->second;
    }

    double all_ = 0.0;
    std::map<std::string_view, double> seen_, misread_;
    std::map<std::pair<std::string_view, std::string_view>, double> counts_;
};

const Costs& costs() {
    static const Costs costs;
    return costs;
}

// The cheapest way to read `text` from `plate`.
double distance(const Characters& plate, const Characters& text) {
    const Costs& cost = costs();
    std::vector<double> row(text.size() + 1, 0.0);
    for (std::size_t j = 0; j < text.size(); ++j) row[j + 1] = row[j] + cost("", text[j]);
    for (const std::string_view expected : plate) {
        double diagonal = row[0];
        row[0] += cost(expected, "");
        for (std::size_t j = 0; j < text.size(); ++j) {
            const double above = row[j + 1];
            row[j + 1] = std::min({diagonal + cost(expected, text[j]), above + cost(expected, ""),
                                   row[j] + cost("", text[j])});
            diagonal = above;
        }
    }
    return row.back();
}

}  // namespace

KnownPlates::KnownPlates(std::vector<std::string> plates) : plates_(std::move(plates)) {}

std::vector<KnownPlates::Match> KnownPlates::find(const std::string& text, std::size_t count,
                                                  double least_likelihood) const {
    const Characters read = split(text);
    const double own = distance(read, read);
    std::vector<Match> matches;
    for (std::size_t i = 0; i < plates_.size(); ++i) {
        const double likelihood =
            plates_[i] == text ? 1.0
                               : std::min(1.0, std::exp(own - distance(split(plates_[i]), read)));
        if (likelihood >= least_likelihood) matches.push_back({i, likelihood});
    }
    std::stable_sort(matches.begin(), matches.end(),
                     [](const Match& a, const Match& b) { return a.likelihood > b.likelihood; });
    if (matches.size() > count) matches.resize(count);
    return matches;
}

}  // namespace lprnet
