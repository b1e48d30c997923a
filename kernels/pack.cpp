#include "kernels/pack.h"

#include <algorithm>

namespace lprnet::kernels {
namespace {

int round_up_to_lanes(const KernelTable& table, int channels) noexcept {
    return (channels + table.lanes - 1) / table.lanes * table.lanes;
}

}  // namespace

std::size_t packed_conv2d_f32_bias(const KernelTable& table, int oc) noexcept {
    return static_cast<std::size_t>(round_up_to_lanes(table, oc));
}

std::size_t packed_conv2d_f32_weights(const KernelTable& table, int oc, int ic, int kh,
                                      int kw) noexcept {
    const int rows = conv2d_f32_row_channels(table.lanes, oc, ic, kw);
    return static_cast<std::size_t>(round_up_to_lanes(table, oc - rows) + rows) *
           static_cast<std::size_t>(ic) * static_cast<std::size_t>(kh) *
           static_cast<std::size_t>(kw);
}

PackedChannel packed_conv2d_f32_channel(const KernelTable& table, int oc, int ic, int kh, int kw,
                                        int o) noexcept {
    // [block][kh][kw][ic][channels of the block, in whole vectors], then [last oc][kh][kw][ic]
    const std::ptrdiff_t size = std::ptrdiff_t{ic} * kh * kw;
    const int blocked = oc - conv2d_f32_row_channels(table.lanes, oc, ic, kw);
    const int padded = round_up_to_lanes(table, blocked);
    if (o >= blocked && blocked < oc) return {(padded + (o - blocked)) * size, 1};
    const int block = table.block_vectors * table.lanes;
    const int first = o / block * block;
    return {first * size + (o - first), std::min(block, padded - first)};
}

void pack_conv2d_f32(const KernelTable& table, const StoredWeights& weights, const float* bias,
                     int oc, int ic, int kh, int kw, float* packed_weights,
                     float* packed_bias) noexcept {
    const std::ptrdiff_t taps = std::ptrdiff_t{kh} * kw;
    const auto padded = static_cast<int>(packed_conv2d_f32_bias(table, oc));
    const bool rows = conv2d_f32_row_channels(table.lanes, oc, ic, kw) > 0;
    for (int o = 0; o < (rows ? oc : padded); ++o) {
        const PackedChannel at = packed_conv2d_f32_channel(table, oc, ic, kh, kw, o);
        float* out = packed_weights + at.begin;
        if (o >= oc) {
            for (std::ptrdiff_t k = 0; k < taps * ic; ++k, out += at.step) *out = 0.0f;
            continue;
        }
        const float* weight = weights.oihw + weights.output(o) * ic * taps;
        const double scale = weights.scale_of(o);
        for (std::ptrdiff_t t = 0; t < taps; ++t) {
            for (int i = 0; i < ic; ++i, out += at.step) {
                const float stored = weight[weights.input(i) * taps + t];
                *out = static_cast<float>(static_cast<double>(stored) * scale);
            }
        }
    }
    std::copy(bias, bias + oc, packed_bias);
    std::fill(packed_bias + oc, packed_bias + padded, 0.0f);
}

}  // namespace lprnet::kernels
