// The scalar oracle: every kernel as plain loops over the formula in shapes.h,
// summing in double. Slow on purpose; all other tables are tested against it.
#include <cstddef>

#include "kernels/kernel_table.h"

namespace lprnet::kernels {
namespace {

// Weights packed for one lane and one vector per block are [oc][kh][kw][ic].
void conv2d_f32(const Conv2dF32& a) noexcept {
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

void max_pool2d_f32(const MaxPool2dF32& a) noexcept {
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

double pooled(const ContextTapF32& a, int y, int x, int c) noexcept {
    double sum = 0.0;
    for (int r = 0; r < a.kh; ++r) {
        for (int s = 0; s < a.kw; ++s) {
            sum += static_cast<double>(
                a.input[(y * a.stride_h + r) * a.input_row +
                        static_cast<std::ptrdiff_t>(x * a.stride_w + s) * a.channels + c]);
        }
    }
    return sum / (a.kh * a.kw);
}

void context_tap_f32(const ContextTapF32& a) noexcept {
    double squares = 0.0;
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            for (int c = 0; c < a.channels; ++c) squares += pooled(a, y, x, c) * pooled(a, y, x, c);
        }
    }
    const double mean_square =
        squares / (static_cast<double>(a.oh) * a.ow * static_cast<double>(a.channels));
    for (int x = 0; x < a.ow; ++x) {
        for (int c = 0; c < a.channels; ++c) {
            double mean = 0.0;
            for (int y = 0; y < a.oh; ++y) mean += pooled(a, y, x, c);
            mean /= a.oh;
            a.output[x * a.output_column + c] =
                mean_square > 0.0 ? static_cast<float>(mean / mean_square) : 0.0f;
        }
    }
}

std::int64_t peak_f32(std::int64_t rounds, float* sink) noexcept {
    float acc = 0.0f;
    for (std::int64_t r = 0; r < rounds; ++r) acc = acc * 0.5f + 0.5f;
    *sink = acc;
    return rounds;
}

}  // namespace

extern const KernelTable table_reference;
const KernelTable table_reference = {
    .name = "reference",
    .lanes = 1,
    .block_vectors = 1,
    .conv2d_f32 = conv2d_f32,
    .max_pool2d_f32 = max_pool2d_f32,
    .context_tap_f32 = context_tap_f32,
    .peak_f32 = peak_f32,
};

}  // namespace lprnet::kernels
