#include "kernels/conv2d_f32/conv2d_f32.h"

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

// Weights packed for one lane and one vector per block are [oc][kh][kw][ic].
void ReferenceKernels::conv2d_f32(const Conv2dF32& a) noexcept {
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                double sum = static_cast<double>(a.bias[o]);
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const float* pixel = a.input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) {
                            sum += static_cast<double>(*weight++) * static_cast<double>(pixel[i]);
                        }
                    }
                }
                if (a.relu && sum < 0.0) sum = 0.0;
                a.output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    static_cast<float>(sum);
            }
        }
    }
}

void ReferenceKernels::conv2d_f32_exact(const Conv2dF32& a) noexcept {
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                float sum = a.bias[o];
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const float* pixel = a.input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) {
                            const float product = *weight++ * pixel[i];
                            sum += product;
                        }
                    }
                }
                a.output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    a.relu && sum < 0.0f ? 0.0f : sum;
            }
        }
    }
}

}  // namespace lprnet::kernels
