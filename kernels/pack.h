// Packing of convolution weights from PyTorch's order into a table's tile order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.h"

namespace lprnet::kernels {

// Alignment that packed weights need, in bytes: one AVX-512 vector, one cache line.
inline constexpr std::size_t kWeightAlignment = 64;

// Floats in the packed weights and in the packed bias of an oc x ic x kh x kw
// convolution: oc rounded up to whole vectors, but for the weights of the channels
// that conv2d_row_channels() sets aside. `rows` false sets none aside, for conv2d_f32_exact and
// conv2d_levels_f32.
std::size_t packed_conv2d_f32_weights(const KernelTable& table, int oc, int ic, int kh, int kw,
                                      bool rows = true) noexcept;
std::size_t packed_conv2d_f32_bias(const KernelTable& table, int oc) noexcept;

// Where output channel `o` of packed weights lies: its k-th weight, in the order [kh][kw][ic],
// at begin + k * step. `o` may also be one of the channels that fill up the last vector.
struct PackedChannel {
    std::ptrdiff_t begin;
    std::ptrdiff_t step;
};
PackedChannel packed_conv2d_f32_channel(const KernelTable& table, int oc, int ic, int kh, int kw,
                                        int o, bool rows = true) noexcept;

// Weights in PyTorch's order, OIHW, and what becomes of them on the way. Null orders and a
// null scale leave things as they are.
template <class T>
struct Stored {
    const T* oihw;
    const double* scale = nullptr;      // of each stored output channel
    const int* output_order = nullptr;  // packed channel o is stored channel output_order[o]
    const int* input_order = nullptr;   // the same for input channels

    int output(int o) const noexcept { return output_order ? output_order[o] : o; }
    int input(int i) const noexcept { return input_order ? input_order[i] : i; }
    double scale_of(int o) const noexcept { return scale ? scale[output(o)] : 1.0; }
};
using StoredWeights = Stored<float>;
using StoredWeightsS8 = Stored<std::int8_t>;

// Channels beyond oc are packed as zeros. The destinations have the sizes above; the bias is in
// the order in which it is packed.
void pack_conv2d_f32(const KernelTable& table, const StoredWeights& weights, const float* bias,
                     int oc, int ic, int kh, int kw, float* packed_weights, float* packed_bias,
                     bool rows = true) noexcept;

// The same for conv2d_s8: words of packed weights, and numbers in the packed bias and scale.
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
