#include "kernels/conv2d_s8/conv2d_s8.h"

#include <algorithm>
#include <cmath>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

// Weights packed for one lane are [oc][kh][kw][ic].
void ReferenceKernels::conv2d_s8(const Conv2dS8& a) noexcept {
    const Level* input = static_cast<const Level*>(a.input);
    Level* output = static_cast<Level*>(a.output);
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const std::int32_t* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                std::int32_t sum = a.bias[o];
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const Level* pixel = input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) sum += *weight++ * pixel[i];
                    }
                }
                const float q = std::nearbyint(static_cast<float>(sum) * a.scale[o]);
                output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    static_cast<Level>(std::clamp(q, 0.0f, 255.0f));
            }
        }
    }
}

}  // namespace lprnet::kernels
