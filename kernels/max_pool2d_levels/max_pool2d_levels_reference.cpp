#include "kernels/max_pool2d_levels/max_pool2d_levels.h"

#include <algorithm>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::max_pool2d_levels(const MaxPool2dLevels& a) noexcept {
    const Level* input = static_cast<const Level*>(a.input);
    Level* output = static_cast<Level*>(a.output);
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            for (int c = 0; c < a.oc; ++c) {
                Level top = 0;
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        top = std::max(
                            top, input[(y * a.stride_h + r) * a.input_row +
                                       static_cast<std::ptrdiff_t>(x * a.stride_w + s) * a.ic +
                                       c * a.channel_stride]);
                    }
                }
                output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + c] = top;
            }
        }
    }
}

}  // namespace lprnet::kernels
