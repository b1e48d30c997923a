// Direct convolution in float32, with bias and ReLU: conv2d_f32 and conv2d_f32_exact.
#pragma once

#include <cstddef>

#include "kernels/part.h"
#include "kernels/weight_layout.h"

namespace lprnet::kernels {

// output[y][x][o] = act(bias[o] + sum_{r,s,i} weight[o][i][r][s] * input[y+r][x+s][i])
// with stride 1; act is max(0, .) if relu, else the identity.
struct Conv2dF32 {
    const float* input;        // pixel (0, 0) of the window of output pixel (0, 0)
    std::ptrdiff_t input_row;  // floats from one input row to the next
    const float* weights;      // packed by pack_conv2d_f32 for the same table, 64-byte aligned
    const float* bias;         // padded like the weights' output channels
    float* output;
    std::ptrdiff_t output_row;  // floats from one output row to the next
    int oh, ow;                 // output extent in pixels, at least 1
    int ic, oc;                 // channels, at least 1
    int kh, kw;                 // taps, at least 1
    bool relu;
};

// conv2d_f32_exact computes the same with one order of summation and no fused operation: equal bits
// from every table. Its weights are packed with rows = false.

template <class Visit>
void each_memory(Conv2dF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
}

// By pixels if all rows form one, else by rows.
bool narrow(Conv2dF32& a, const Part& part, const KernelTable& table) noexcept;

// Floats in the packed weights and in the packed bias of an oc x ic x kh x kw
// convolution: oc rounded up to whole vectors, but for the weights of the channels
// that conv2d_row_channels() sets aside. `rows` false sets none aside, for conv2d_f32_exact and
// conv2d_levels_f32.
std::size_t packed_conv2d_f32_weights(const KernelTable& table, int oc, int ic, int kh, int kw,
                                      bool rows = true) noexcept;
std::size_t packed_conv2d_f32_bias(const KernelTable& table, int oc) noexcept;

PackedChannel packed_conv2d_f32_channel(const KernelTable& table, int oc, int ic, int kh, int kw,
                                        int o, bool rows = true) noexcept;

// Channels beyond oc are packed as zeros. The destinations have the sizes above; the bias is in
// the order in which it is packed.
void pack_conv2d_f32(const KernelTable& table, const StoredWeights& weights, const float* bias,
                     int oc, int ic, int kh, int kw, float* packed_weights, float* packed_bias,
                     bool rows = true) noexcept;

}  // namespace lprnet::kernels
