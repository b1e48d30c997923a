#include "lprnet/vote.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lprnet {
namespace {

constexpr double kMisread = 0.05;
constexpr double kLaterFrame = 0.5;
// Texts that nobody has brought share what is left among so many: the order of the texts that
// differ from a plate in one or two places that are easy to confuse.
constexpr double kUnseen = 1000.0;
// Bounds memory and time for a vehicle that stands for hours; the likeliest are kept.
constexpr std::size_t kMaxTexts = 200;

struct Brought {
    std::string text;
    double p;
    int format;
};

void bring(std::vector<Brought>& all, std::string text, double p, int format) {
    const auto same = [&](const Brought& other) { return other.text == text; };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back({std::move(text), p, format});
}

std::vector<Brought> texts_of(const Reading& reading) {
    std::vector<Brought> all;
    for (const Candidate& candidate : reading.candidates) {
        bring(all, candidate.text, static_cast<double>(candidate.confidence), candidate.format);
    }
    if (reading.candidates.empty()) {
        bring(all, reading.text, static_cast<double>(reading.confidence), -1);
    }
    constexpr int kUnknownFormat = -1;
    for (std::size_t i = 0; i < reading.characters.size(); ++i) {
        const Character& replaced = reading.characters[i];
        for (int k = 0; k < replaced.alternative_count; ++k) {
            const Alternative& other = replaced.alternatives[static_cast<std::size_t>(k)];
            std::string text;
            for (std::size_t c = 0; c < reading.characters.size(); ++c) {
                text += c == i ? other.text : reading.characters[c].text;
            }
            // Both confidences are shares of the same sum.
            const auto ratio = static_cast<double>(other.confidence / replaced.confidence);
            if (replaced.confidence > 0.0f) {
                bring(all, std::move(text), static_cast<double>(reading.confidence) * ratio,
                      kUnknownFormat);
            }
        }
    }
    return all;
}

}  // namespace

void Vote::add(const Reading& reading) {
    if (reading.text.empty()) return;
    const std::vector<Brought> brought = texts_of(reading);
    double left = 1.0;
    for (const Brought& b : brought) left -= b.p;
    const auto log_likelihood = [](double p) {
        return std::log((1.0 - kMisread) * p + kMisread / kUnseen);
    };
    const double unseen = log_likelihood(std::max(left, 0.0) / kUnseen);

    for (const Brought& b : brought) {
        const auto known = std::find_if(texts_.begin(), texts_.end(),
                                        [&](const Text& t) { return t.text == b.text; });
        // A new text was among the unseen ones so far. `unseen` is added to all below.
        const double more = log_likelihood(b.p) - unseen;
        if (known == texts_.end()) {
            texts_.push_back({b.text, log_unseen_ + more, b.format});
        } else {
            known->log_likelihood += more;
            if (b.format >= 0) known->format = b.format;
        }
    }
    for (Text& text : texts_) text.log_likelihood += unseen;
    log_unseen_ += unseen;
    ++frames_;
    if (texts_.size() > kMaxTexts) {
        std::stable_sort(texts_.begin(), texts_.end(), [](const Text& a, const Text& b) {
            return a.log_likelihood > b.log_likelihood;
        });
        texts_.resize(kMaxTexts);
    }
}

Vote::Answer Vote::answer(std::size_t candidates) const {
    Answer answer;
    if (frames_ == 0) return answer;
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
    answer.margin =
        answer.confidence - (answer.candidates.size() > 1 ? answer.candidates[1].confidence : 0.0f);
    if (answer.candidates.size() > candidates) answer.candidates.resize(candidates);
    return answer;
}

void Vote::clear() noexcept {
    texts_.clear();
    log_unseen_ = 0.0;
    frames_ = 0;
}

}  // namespace lprnet
