#include "engine/compress/round_output.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/model/quantization.h"

namespace lprnet {

void round_output(Network& network, std::size_t step, const std::vector<float>& scales) {
    constexpr float kLargestLevel = kMostLevel;
    const StepInfo& rounded = network.steps()[step];
    const Shape& shape = rounded.output.shape;
    std::vector<float> scale(static_cast<std::size_t>(shape.c));
    for (std::size_t c = 0; c < scale.size(); ++c) {
        scale[c] = scales[static_cast<std::size_t>(rounded.channel_of(static_cast<int>(c)))];
    }
    for (int y = 0; y < shape.h; ++y) {
        float* value = network.pixel(step, y, 0);
        for (int x = 0; x < shape.w; ++x) {
            for (std::size_t c = 0; c < scale.size(); ++c, ++value) {
                *value = std::min(std::nearbyint(*value / scale[c]), kLargestLevel) * scale[c];
            }
        }
    }
}

}  // namespace lprnet
