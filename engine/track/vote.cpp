#include "lprnet/vote.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/boundary.h"

namespace lprnet {
namespace {

constexpr double kMisread = 0.05;
constexpr double kLaterFrame = 0.5;
// Texts that nobody has brought share what is left among so many: the order of the texts that
// differ from a plate in one or two places that are easy to confuse.
constexpr double kUnseen = 1000.0;
// Bounds memory and time for a vehicle that stands for hours; the likeliest are kept.
constexpr std::size_t kMaxTexts = 200;

// More than any recognizer returns, so that a reading made by hand costs no more than one of them.
constexpr std::size_t kMaxTextBytes = 256;
constexpr std::size_t kMaxCandidates = 100;
constexpr std::size_t kMaxCharacters = 64;

struct Brought {
    std::string text;
    double p;
    int format;
};

// 0 for what is not a number.
double to_probability(double p) noexcept {
    return p > 0.0 ? std::min(p, 1.0) : 0.0;
}
double to_probability(float p) noexcept {
    return to_probability(static_cast<double>(p));
}

void bring(std::vector<Brought>& all, const std::string& text, double p, int format) {
    if (text.size() > kMaxTextBytes) return;
    const auto same = [&](const Brought& other) { return other.text == text; };
    if (std::none_of(all.begin(), all.end(), same)) {
        all.push_back({text, to_probability(p), format});
    }
}

void bring_alternatives(std::vector<Brought>& all, const Reading& reading) {
    constexpr int kUnknownFormat = -1;
    const std::vector<Character>& characters = reading.characters;
    const auto length = [](std::size_t sum, const Character& c) { return sum + c.text.size(); };
    if (characters.size() > kMaxCharacters ||
        std::accumulate(characters.begin(), characters.end(), std::size_t{0}, length) >
            kMaxTextBytes) {
        return;
    }
    for (std::size_t i = 0; i < characters.size(); ++i) {
        const Character& replaced = characters[i];
        const double confidence = to_probability(replaced.confidence);
        if (confidence == 0.0) continue;
        const std::size_t count =
            std::min(static_cast<std::size_t>(std::max(replaced.alternative_count, 0)),
                     replaced.alternatives.size());
        for (std::size_t k = 0; k < count; ++k) {
            const Alternative& other = replaced.alternatives[k];
            if (other.text.size() > kMaxTextBytes) continue;
            std::string text;
            for (std::size_t c = 0; c < characters.size(); ++c) {
                text += c == i ? other.text : characters[c].text;
            }
            // Both confidences are shares of the same sum.
            const double ratio = to_probability(other.confidence) / confidence;
            bring(all, text, to_probability(reading.confidence) * ratio, kUnknownFormat);
        }
    }
}

std::vector<Brought> texts_of(const Reading& reading) {
    std::vector<Brought> all;
    const std::size_t count = std::min(reading.candidates.size(), kMaxCandidates);
    for (std::size_t i = 0; i < count; ++i) {
        const Candidate& candidate = reading.candidates[i];
        bring(all, candidate.text, to_probability(candidate.confidence), candidate.format);
    }
    if (reading.candidates.empty()) {
        bring(all, reading.text, to_probability(reading.confidence), -1);
    }
    bring_alternatives(all, reading);
    return all;
}

}  // namespace

Status Vote::add(const Reading& reading) noexcept {
    return guarded([&]() -> Status {
        if (reading.text.empty()) return {};
        const std::vector<Brought> brought = texts_of(reading);
        if (brought.empty()) return {};
        double left = 1.0;
        for (const Brought& b : brought) left -= b.p;
        const auto log_likelihood = [](double p) {
            return std::log((1.0 - kMisread) * p + kMisread / kUnseen);
        };
        const double unseen = log_likelihood(std::max(left, 0.0) / kUnseen);

        std::vector<Text> texts = texts_;
        for (const Brought& b : brought) {
            const auto known = std::find_if(texts.begin(), texts.end(),
                                            [&](const Text& t) { return t.text == b.text; });
            // A new text was among the unseen ones so far. `unseen` is added to all below.
            const double more = log_likelihood(b.p) - unseen;
            if (known == texts.end()) {
                texts.push_back({b.text, log_unseen_ + more, b.format});
            } else {
                known->log_likelihood += more;
                if (b.format >= 0) known->format = b.format;
            }
        }
        for (Text& text : texts) text.log_likelihood += unseen;
        if (texts.size() > kMaxTexts) {
            std::stable_sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) {
                return a.log_likelihood > b.log_likelihood;
            });
            texts.resize(kMaxTexts);
        }
        texts_ = std::move(texts);
        log_unseen_ += unseen;
        ++frames_;
        return {};
    });
}

Result<Vote::Answer> Vote::answer(std::size_t candidates) const noexcept {
    return guarded([&]() -> Result<Answer> {
        Answer answer;
        if (texts_.empty()) return answer;
        const auto frames = static_cast<double>(frames_);
        const double exponent = (1.0 + kLaterFrame * (frames - 1.0)) / frames;
        double highest = log_unseen_;
        for (const Text& text : texts_) highest = std::max(highest, text.log_likelihood);
        const auto weight = [&](double log_likelihood) {
            return std::exp(exponent * (log_likelihood - highest));
        };
        double sum = kUnseen * weight(log_unseen_);
        for (const Text& text : texts_) sum += weight(text.log_likelihood);
        for (const Text& text : texts_) {
            answer.candidates.push_back(
                {text.text, static_cast<float>(weight(text.log_likelihood) / sum), text.format});
        }
        std::stable_sort(
            answer.candidates.begin(), answer.candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.confidence > b.confidence; });
        answer.text = answer.candidates.front().text;
        answer.confidence = answer.candidates.front().confidence;
        answer.margin = answer.confidence -
                        (answer.candidates.size() > 1 ? answer.candidates[1].confidence : 0.0f);
        if (answer.candidates.size() > candidates) answer.candidates.resize(candidates);
        return answer;
    });
}

void Vote::clear() noexcept {
    texts_.clear();
    log_unseen_ = 0.0;
    frames_ = 0;
}

}  // namespace lprnet
