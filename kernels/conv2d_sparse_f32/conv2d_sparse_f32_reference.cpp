#include "kernels/conv2d_sparse_f32/conv2d_sparse_f32.h"

#include <algorithm>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

namespace {

// What is left of the lists of a sparse convolution's weights.
struct SparseLists {
    const std::uint16_t* inputs;
    const float* weights;
};

// Passes one list, calling visit(input in the part, channel of the group, weight) for all it has.
template <class Visit>
void pass_list(SparseLists& lists, Visit visit) noexcept {
    const std::uint16_t* counts = lists.inputs;
    lists.inputs += kSparsePatterns;
    for (int pattern = 1; pattern <= kSparsePatterns; ++pattern) {
        for (int n = counts[pattern - 1]; n > 0; --n, ++lists.inputs) {
            for (int c = 0; c < kSparseGroup; ++c) {
                if (sparse_pattern_has(pattern, c)) visit(*lists.inputs, c, *lists.weights++);
            }
        }
    }
}

// The input that weight k of all taps and channels multiplies, for the output at (y, x); nullptr
// where it is padding that is not stored. `corner` is the input of the first tap, in panels the
// first channel of the same pixel.
const float* input_of(const Conv2dSparseF32& a, const float* corner, std::ptrdiff_t y,
                      std::ptrdiff_t x, int k) noexcept {
    const int tap = k / a.ic, channel = k % a.ic;
    const std::ptrdiff_t r = tap / a.kw, s = tap % a.kw;
    if (!a.input_panels) return corner + r * a.input_row + s * a.ic + channel;
    const std::ptrdiff_t dy = r - (a.kh - 1) / 2, dx = s - (a.kw - 1) / 2;
    if (y + dy < 0 || y + dy >= a.oh || x + dx < 0 || x + dx >= a.ow) return nullptr;
    return corner + (dy * a.ow + dx) * a.ic + channel;
}

}  // namespace

// A block is one pixel, so that panels are NHWC and an input's place in a panel is its number.
void ReferenceKernels::conv2d_sparse_f32(const Conv2dSparseF32& a) noexcept {
    const int inputs = a.kh * a.kw * a.ic;
    for (int pixel = a.first_pixel; pixel < a.first_pixel + a.pixels; ++pixel) {
        const std::ptrdiff_t y = pixel / a.ow, x = pixel % a.ow;
        const float* corner = a.input_panels ? a.input + std::ptrdiff_t{pixel} * a.ic
                                             : a.input + y * a.input_row + x * a.ic;
        float* output = a.output_panels ? a.output + std::ptrdiff_t{pixel} * a.oc
                                        : a.output + y * a.output_row + x * a.oc;
        // The lists of a part come behind those of all groups for the part before: a group's
        // sums wait in the output for the next part.
        SparseLists lists = {a.lists, a.weights};
        std::copy_n(a.bias, a.oc, output);
        for (int first = 0; first < inputs; first += kSparsePart) {
            for (int group = 0; group < a.oc; group += kSparseGroup) {
                double sums[kSparseGroup] = {};
                pass_list(lists, [&](int k, int channel, float weight) {
                    const float* value = input_of(a, corner, y, x, first + k);
                    if (value == nullptr) return;
                    sums[channel] += static_cast<double>(weight) * static_cast<double>(*value);
                });
                for (int c = 0; c < kSparseGroup && group + c < a.oc; ++c) {
                    const double sum = sums[c] + static_cast<double>(output[group + c]);
                    output[group + c] = static_cast<float>(sum);
                }
            }
        }
        for (int o = 0; o < a.oc; ++o) {
            if (a.relu && output[o] < 0.0f) output[o] = 0.0f;
        }
    }
}

}  // namespace lprnet::kernels
