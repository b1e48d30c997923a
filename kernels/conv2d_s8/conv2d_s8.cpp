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

// Writes `count` weights, `stride` words apart and as many to a word as a lane multiplies at a
// time, the last one filled up with zeros. `weight(i)` is the i-th.
template <class Weight, class Weights>
std::int32_t* pack_words(Weights weight, int count, std::ptrdiff_t stride, std::int32_t* to,
                         std::int32_t& sum) noexcept {
    constexpr int kGroup = sizeof(std::int32_t) / sizeof(Weight);
    const auto put = [&](int first, int filled) {
        Weight word[kGroup] = {};
        for (int k = 0; k < filled; ++k) {
            word[k] = weight(first + k);
            sum += word[k];
        }
        std::memcpy(to, word, sizeof *to);
        to += stride;
    };
    const int whole = count / kGroup * kGroup;
    for (int i = 0; i < whole; i += kGroup) put(i, kGroup);
    if (whole < count) put(whole, count - whole);
    return to;
}

// Writes the weights of one output channel, in the order [kh][kw][ic]. The sum of all is returned.
template <class Weight>
std::int32_t pack_channel(const StoredWeightsS8& weights, int o, int ic, int kh, int kw,
                          const PackedChannel& at, std::int32_t* packed) noexcept {
    const std::ptrdiff_t taps = std::ptrdiff_t{kh} * kw;
    const std::int8_t* oihw = weights.oihw + weights.output(o) * ic * taps;
    // Where the words of a tap are not whole, as of the three channels of a first layer, some
    // belong to two taps: a row is packed as one.
    const bool by_taps = ic % static_cast<int>(sizeof(std::int32_t) / sizeof(Weight)) == 0;
    std::int32_t* to = packed + at.begin;
    std::int32_t sum = 0;
    for (int r = 0; r < kh; ++r) {
        const std::int8_t* row = oihw + std::ptrdiff_t{r} * kw;
        for (int t = 0; by_taps && t < kw; ++t) {
            const std::int8_t* tap = row + t;
            if (weights.input_order == nullptr) {
                to = pack_words<Weight>([=](int i) { return tap[i * taps]; }, ic, at.stride, to,
                                        sum);
            } else {
                to = pack_words<Weight>([&](int i) { return tap[weights.input(i) * taps]; }, ic,
                                        at.stride, to, sum);
            }
        }
        if (!by_taps) {
            to = pack_words<Weight>(
                [&](int j) { return row[weights.input(j % ic) * taps + j / ic]; }, ic * kw,
                at.stride, to, sum);
        }
    }
    return sum;
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
    const DenseLayout layout = layout_of(table, oc, ic, kh, kw);
    std::fill_n(packed_bias, packed_conv2d_s8_bias(table, oc), 0);
    std::fill_n(packed_scale, packed_conv2d_s8_bias(table, oc), 0.0f);
    // Channels that fill up the last vector; the others are written below.
    if (layout.channels() > oc) std::fill_n(packed_weights, layout.words(), 0);
    const int group = table.levels.group();
    const auto pack = group == 4   ? pack_channel<std::int8_t>
                      : group == 2 ? pack_channel<std::int16_t>
                                   : pack_channel<std::int32_t>;
    for (int o = 0; o < oc; ++o) {
        const bool in_block = o < layout.blocked();
        const int first = in_block ? layout.first_of_block(o) : o;
        const int position =
            in_block ? interleaved(o - first, layout.width_of_block(o), table.lanes) : 0;
        const std::int32_t sum =
            pack(weights, o, ic, kh, kw, layout.channel(o, position), packed_weights);
        packed_bias[first + position] = bias[o] + table.levels.offset * sum;
        packed_scale[first + position] = scale[o];
    }
}

}  // namespace lprnet::kernels
