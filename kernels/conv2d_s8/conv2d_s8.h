// Direct convolution of levels with int8 weights, int32 sums and requantization.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/part.h"
#include "kernels/weight_layout.h"

namespace lprnet::kernels {

// Tensors of levels hold q = 0..255 for the real value scale * q. What an element is, one
// byte, two or four, is the table's choice (KernelTable::levels), and whoever moves such tensors
// goes by its size; all tables compute the same q. A kernel may read, not use, up to three elements
// behind the last one of its input.
//
//   sum = bias[o] + sum_{r,s,i} weight[o][i][r][s] * input[y+r][x+s][i]      (int32)
//   output[y][x][o] = min(max(round(float(sum) * scale[o]), 0), 255)
// with stride 1; float() and round() go to the nearest, ties to even. No sum and no product with
// its scale may leave the range of int32.
struct Conv2dS8 {
    const void* input;  // rows, extents and channels as in Conv2dF32, counted in elements
    std::ptrdiff_t input_row;
    const std::int32_t* weights;  // packed by pack_conv2d_s8 for the same table, 64-byte aligned
    const std::int32_t* bias;     // in the order of the packed weights, like scale
    const float* scale;
    void* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
};

template <class Visit>
void each_memory(Conv2dS8& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
}

// By pixels if all rows form one, else by rows.
bool narrow(Conv2dS8& a, const Part& part, const KernelTable& table) noexcept;

// Words of packed weights, and numbers in the packed bias and scale, of an oc x ic x kh x kw
// convolution; see conv2d_f32.h.
std::size_t packed_conv2d_s8_weights(const KernelTable& table, int oc, int ic, int kh,
                                     int kw) noexcept;
std::size_t packed_conv2d_s8_bias(const KernelTable& table, int oc) noexcept;

// Bias and scale are given in the order of the output channels; channels beyond oc get 0. A scale
// of the weights is not applied.
void pack_conv2d_s8(const KernelTable& table, const StoredWeightsS8& weights,
                    const std::int32_t* bias, const float* scale, int oc, int ic, int kh, int kw,
                    std::int32_t* packed_weights, std::int32_t* packed_bias,
                    float* packed_scale) noexcept;

}  // namespace lprnet::kernels
