#include "kernels/conv2d_s8/conv2d_s8.h"

#include <algorithm>
#include <cstring>

#include "kernels/conv2d/conv2d.h"
#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

namespace {

DenseLayout layout_of(const KernelTable& table, int oc, int ic, int kh, int kw) noexcept {
    const int group = table.levels.group();
    return {.lanes = table.lanes,
            .block_vectors = table.levels.block_vectors,
            .oc = oc,
            .kh = kh,
            .groups = conv2d_row_groups(ic, kw, group),
            .row_channels = conv2d_row_channels(table.lanes, group, oc, ic, kw)};
}

// The lane of channel `c` of a block of `width`: groups of 4 channels go to the vectors in turn,
// which is undone where DotS8 narrows them.
int interleaved(int c, int width, int lanes) noexcept {
    if (lanes < 4) return c;
    int vectors = width / lanes;
    if (vectors == 3) {  // narrowed as two and one
        if (c >= 2 * lanes) return c;
        vectors = 2;
    }
    const int turn = c / (4 * vectors), in_turn = c % (4 * vectors);
    return in_turn / 4 * lanes + turn * 4 + in_turn % 4;
}

template <class Weight>
void store_weight(std::int32_t* word, int at, std::int8_t weight) noexcept {
    const Weight wide = weight;
    std::memcpy(reinterpret_cast<char*>(word) + at * static_cast<int>(sizeof wide), &wide,
                sizeof wide);
}

}  // namespace

bool narrow(Conv2dS8& a, const Part& part, const KernelTable& table) noexcept {
    return narrow_convolution(a, part, static_cast<std::size_t>(table.levels.bytes));
}

std::size_t packed_conv2d_s8_bias(const KernelTable& table, int oc) noexcept {
    return static_cast<std::size_t>((oc + table.lanes - 1) / table.lanes * table.lanes);
}

std::size_t packed_conv2d_s8_weights(const KernelTable& table, int oc, int ic, int kh,
                                     int kw) noexcept {
    return layout_of(table, oc, ic, kh, kw).words();
}

void pack_conv2d_s8(const KernelTable& table, const StoredWeightsS8& weights,
                    const std::int32_t* bias, const float* scale, int oc, int ic, int kh, int kw,
                    std::int32_t* packed_weights, std::int32_t* packed_bias,
                    float* packed_scale) noexcept {
    const int group = table.levels.group();
    const DenseLayout layout = layout_of(table, oc, ic, kh, kw);
    const std::ptrdiff_t taps = std::ptrdiff_t{kh} * kw;
    std::fill_n(packed_bias, packed_conv2d_s8_bias(table, oc), 0);
    std::fill_n(packed_scale, packed_conv2d_s8_bias(table, oc), 0.0f);
    std::fill_n(packed_weights, layout.words(), 0);
    for (int o = 0; o < oc; ++o) {
        const bool in_block = o < layout.blocked();
        const int first = in_block ? layout.first_of_block(o) : o;
        const int position =
            in_block ? interleaved(o - first, layout.width_of_block(o), table.lanes) : 0;
        const PackedChannel at = layout.channel(o, position);
        const std::int8_t* weight = weights.oihw + weights.output(o) * ic * taps;
        std::int32_t sum = 0;
        for (int r = 0; r < kh; ++r) {
            for (int j = 0; j < ic * kw; ++j) {
                const std::int8_t w =
                    weight[weights.input(j % ic) * taps + std::ptrdiff_t{r} * kw + j / ic];
                std::int32_t* word = packed_weights + at.begin +
                                     (std::ptrdiff_t{r} * layout.groups + j / group) * at.stride;
                switch (group) {
                    case 4: store_weight<std::int8_t>(word, j % group, w); break;
                    case 2: store_weight<std::int16_t>(word, j % group, w); break;
                    default: store_weight<std::int32_t>(word, 0, w); break;
                }
                sum += w;
            }
        }
        packed_bias[first + position] = bias[o] + table.levels.offset * sum;
        packed_scale[first + position] = scale[o];
    }
}

}  // namespace lprnet::kernels
