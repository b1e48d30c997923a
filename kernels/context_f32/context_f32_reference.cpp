#include "kernels/context_f32/context_f32.h"

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

namespace {

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

}  // namespace

// One lane: every channel is a group of its own.
void ReferenceKernels::context_tap_f32(const ContextTapF32& a) noexcept {
    for (int c = 0; c < a.channels_used; ++c) {
        double squares = 0.0;
        for (int x = 0; x < a.ow; ++x) {
            double sum = 0.0;
            for (int y = 0; y < a.oh; ++y) {
                const double value = pooled(a, y, x, c);
                sum += value;
                squares += value * value;
            }
            a.output[x * a.output_column + c] = static_cast<float>(sum / a.oh);
        }
        a.squares[c] = static_cast<float>(squares);
    }
}

void ReferenceKernels::context_scale_f32(const ContextScaleF32& a) noexcept {
    int first = 0;
    for (int b = 0; b < a.branches; ++b) {
        double total = 0.0;
        for (int c = 0; c < a.channels[b]; ++c) total += static_cast<double>(a.squares[first + c]);
        for (int x = 0; x < a.ow; ++x) {
            for (int c = 0; c < a.channels[b]; ++c) {
                float& value = a.data[x * a.column + first + c];
                value = total > 0.0
                            ? static_cast<float>(static_cast<double>(value) * a.values[b] / total)
                            : 0.0f;
            }
        }
        first += a.channels[b];
    }
}

}  // namespace lprnet::kernels
