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

void pack_conv2d_f32(const KernelTable& table, const float* oihw, const float* bias, int oc, int ic,
                     int kh, int kw, float* packed_weights, float* packed_bias) noexcept {
    const auto weight = [&](int o, int i, int r, int s) {
        const std::ptrdiff_t input = static_cast<std::ptrdiff_t>(o) * ic + i;
        return oihw[(input * kh + r) * kw + s];
    };
    // from [oc][ic][kh][kw]
    // to   [block][kh][kw][ic][channels of the block, in whole vectors], then [last oc][kh][kw][ic]
    const int rows = conv2d_f32_row_channels(table.lanes, oc, ic, kw);
    const int blocked = oc - rows;
    const int block = table.block_vectors * table.lanes;
    float* out = packed_weights;
    const auto pack_channels = [&](int first, int width, int end) {
        for (int r = 0; r < kh; ++r) {
            for (int s = 0; s < kw; ++s) {
                for (int i = 0; i < ic; ++i) {
                    for (int o = first; o < first + width; ++o) {
                        *out++ = o < end ? weight(o, i, r, s) : 0.0f;
                    }
                }
            }
        }
    };
    for (int o = 0; o < blocked; o += block) {
        pack_channels(o, round_up_to_lanes(table, std::min(block, blocked - o)), blocked);
    }
    for (int o = blocked; o < oc; ++o) pack_channels(o, 1, oc);

    std::copy(bias, bias + oc, packed_bias);
    std::fill(packed_bias + oc, packed_bias + round_up_to_lanes(table, oc), 0.0f);
}

}  // namespace lprnet::kernels
