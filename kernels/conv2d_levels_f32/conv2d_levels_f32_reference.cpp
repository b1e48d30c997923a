#include "kernels/conv2d_levels_f32/conv2d_levels_f32.h"

#include <algorithm>
#include <cmath>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::conv2d_levels_f32(const Conv2dLevelsF32& a) noexcept {
    const Level* input = static_cast<const Level*>(a.input);
    Level* output = static_cast<Level*>(a.output);
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                float sum = a.bias[o];
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const Level* pixel = input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) {
                            const float product = *weight++ * static_cast<float>(pixel[i]);
                            sum += product;
                        }
                    }
                }
                const float level = std::nearbyint(std::clamp(sum, 0.0f, 255.0f));
                output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    static_cast<Level>(level);
            }
        }
    }
}

}  // namespace lprnet::kernels
