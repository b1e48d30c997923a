#include "kernels/max_pool2d_f32/max_pool2d_f32.h"

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::max_pool2d_f32(const MaxPool2dF32& a) noexcept {
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            for (int c = 0; c < a.oc; ++c) {
                const float* window = a.input + y * a.stride_h * a.input_row +
                                      static_cast<std::ptrdiff_t>(x) * a.stride_w * a.ic +
                                      c * a.channel_stride;
                float top = *window;
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const float value =
                            window[r * a.input_row + static_cast<std::ptrdiff_t>(s) * a.ic];
                        if (value > top) top = value;
                    }
                }
                a.output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + c] = top;
            }
        }
    }
}

}  // namespace lprnet::kernels
