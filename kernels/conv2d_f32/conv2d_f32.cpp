#include "kernels/conv2d_f32/conv2d_f32.h"

#include <algorithm>

#include "kernels/conv2d/conv2d.h"
#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

namespace {

DenseLayout layout_of(const KernelTable& table, int oc, int ic, int kh, int kw,
                      bool rows) noexcept {
    return {.lanes = table.lanes,
            .block_vectors = table.block_vectors,
            .oc = oc,
            .kh = kh,
            .groups = ic * kw,
            .row_channels = rows ? conv2d_row_channels(table.lanes, 1, oc, ic, kw) : 0};
}

}  // namespace

bool narrow(Conv2dF32& a, const Part& part, const KernelTable&) noexcept {
    return narrow_convolution(a, part, sizeof(float));
}

std::size_t packed_conv2d_f32_bias(const KernelTable& table, int oc) noexcept {
    return static_cast<std::size_t>((oc + table.lanes - 1) / table.lanes * table.lanes);
}

std::size_t packed_conv2d_f32_weights(const KernelTable& table, int oc, int ic, int kh, int kw,
                                      bool rows) noexcept {
    return layout_of(table, oc, ic, kh, kw, rows).words();
}

PackedChannel packed_conv2d_f32_channel(const KernelTable& table, int oc, int ic, int kh, int kw,
                                        int o, bool rows) noexcept {
    const DenseLayout layout = layout_of(table, oc, ic, kh, kw, rows);
    return layout.channel(o, o - layout.first_of_block(o));
}

void pack_conv2d_f32(const KernelTable& table, const StoredWeights& weights, const float* bias,
                     int oc, int ic, int kh, int kw, float* packed_weights, float* packed_bias,
                     bool rows) noexcept {
    const std::ptrdiff_t taps = std::ptrdiff_t{kh} * kw;
    const DenseLayout layout = layout_of(table, oc, ic, kh, kw, rows);
    for (int o = 0; o < layout.channels(); ++o) {
        const PackedChannel at = layout.channel(o, o - layout.first_of_block(o));
        float* out = packed_weights + at.begin;
        if (o >= oc) {
            for (std::ptrdiff_t k = 0; k < taps * ic; ++k, out += at.stride) *out = 0.0f;
            continue;
        }
        const float* weight = weights.oihw + weights.output(o) * ic * taps;
        const double scale = weights.scale_of(o);
        for (std::ptrdiff_t t = 0; t < taps; ++t) {
            for (int i = 0; i < ic; ++i, out += at.stride) {
                const float stored = weight[weights.input(i) * taps + t];
                *out = static_cast<float>(static_cast<double>(stored) * scale);
            }
        }
    }
    std::copy(bias, bias + oc, packed_bias);
    std::fill(packed_bias + oc, packed_bias + packed_conv2d_f32_bias(table, oc), 0.0f);
}

}  // namespace lprnet::kernels
