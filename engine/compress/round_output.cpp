#include "engine/compress/round_output.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace lprnet {

void round_output(const Step& step, const std::vector<float>& scales, float* arena) {
    constexpr float kLargestLevel = 255.0f;
    const Tensor& tensor = step.output;
    std::vector<float> scale(static_cast<std::size_t>(tensor.c));
    for (std::size_t c = 0; c < scale.size(); ++c) {
        scale[c] =
            scales[step.channel_order.empty() ? c
                                              : static_cast<std::size_t>(step.channel_order[c])];
    }
    for (int y = 0; y < tensor.h; ++y) {
        float* value = tensor.floats(arena) + y * tensor.row();
        for (int x = 0; x < tensor.w; ++x) {
            for (std::size_t c = 0; c < scale.size(); ++c, ++value) {
                *value = std::min(std::nearbyint(*value / scale[c]), kLargestLevel) * scale[c];
            }
        }
    }
}

}  // namespace lprnet
