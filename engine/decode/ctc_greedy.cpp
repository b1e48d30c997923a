#include "engine/decode/ctc_greedy.h"

namespace lprnet {

std::span<std::int32_t> best_path(std::span<const float> logits, std::size_t classes, int blank,
                                  std::span<std::int32_t> labels) noexcept {
    const std::size_t time_steps = logits.size() / classes;
    std::size_t count = 0;
    std::int32_t previous = blank;
    for (std::size_t t = 0; t < time_steps; ++t) {
        const std::span<const float> row = logits.subspan(t * classes, classes);
        std::size_t best = 0;
        for (std::size_t c = 1; c < classes; ++c) {
            if (row[c] > row[best]) best = c;
        }
        const auto label = static_cast<std::int32_t>(best);
        if (label != blank && label != previous) labels[count++] = label;
        previous = label;
    }
    return labels.first(count);
}

}  // namespace lprnet
