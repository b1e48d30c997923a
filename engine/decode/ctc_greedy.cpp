#include "engine/decode/ctc_greedy.h"

#include <cmath>

namespace lprnet {

void decode_ctc_greedy(std::span<const float> logits, const std::vector<std::string>& charset,
                       int blank, Reading& reading) {
    const std::size_t classes = charset.size();
    const std::size_t steps = logits.size() / classes;
    constexpr std::size_t kUtf8Bytes = 4;  // of the longest character
    reading.text.clear();
    reading.text.reserve(steps * kUtf8Bytes);
    reading.characters.reserve(steps);
    double path = 1.0;
    std::size_t count = 0;
    int previous = blank;
    for (std::size_t t = 0; t < steps; ++t) {
        const std::span<const float> row = logits.subspan(t * classes, classes);
        std::size_t best = 0;
        for (std::size_t c = 1; c < classes; ++c) {
            if (row[c] > row[best]) best = c;
        }
        double sum = 0.0;
        for (const float logit : row) sum += std::exp(static_cast<double>(logit - row[best]));
        const auto probability = static_cast<float>(1.0 / sum);
        path *= 1.0 / sum;

        const int label = static_cast<int>(best);
        const int step = static_cast<int>(t);
        if (label != blank && label == previous) {
            Character& last = reading.characters[count - 1];
            last.last_step = step;
            if (probability > last.confidence) last.confidence = probability;
        } else if (label != blank) {
            // Reuse old entries: assigning keeps their strings' memory.
            if (count == reading.characters.size()) reading.characters.emplace_back();
            Character& next = reading.characters[count++];
            next.text = charset[best];
            next.confidence = probability;
            next.first_step = next.last_step = step;
            reading.text += charset[best];
        }
        previous = label;
    }
    reading.characters.resize(count);
    reading.confidence = static_cast<float>(path);
}

}  // namespace lprnet
