#include "kernels/pack.h"

#include <algorithm>
#include <cstring>

namespace lprnet::kernels {
namespace {

int round_up_to_lanes(const KernelTable& table, int channels) noexcept {
    return (channels + table.lanes - 1) / table.lanes * table.lanes;
}

// A convolution's packed weights: [block][kh][step][channels of the block, in whole vectors]
// words, then [last oc][kh][step] ones.
struct Layout {
    const KernelTable& table;
    int block_vectors;
    int oc, kh, steps;
    int row_channels;

    int blocked() const noexcept { return oc - row_channels; }
    int padded() const noexcept { return round_up_to_lanes(table, blocked()); }
    std::ptrdiff_t words_per_channel() const noexcept { return std::ptrdiff_t{kh} * steps; }
    std::size_t words() const noexcept {
        return static_cast<std::size_t>((padded() + row_channels) * words_per_channel());
    }
    // Channels that have a place, with those that fill up the last vector.
    int channels() const noexcept { return row_channels > 0 ? oc : padded(); }

    // Where channel `o` lies if it is number `position` of its block.
    PackedChannel channel(int o, int position) const noexcept {
        if (o >= blocked() && blocked() < oc) {
            return {(padded() + (o - blocked())) * words_per_channel(), 1};
        }
        const int first = first_of_block(o);
        return {first * words_per_channel() + position, width_of_block(o)};
    }
    int first_of_block(int o) const noexcept {
        const int block = block_vectors * table.lanes;
        return o / block * block;
    }
    int width_of_block(int o) const noexcept {
        return std::min(block_vectors * table.lanes, padded() - first_of_block(o));
    }
};

Layout layout_f32(const KernelTable& table, int oc, int ic, int kh, int kw, bool rows) noexcept {
    return {table,   table.block_vectors,
            oc,      kh,
            ic * kw, rows ? conv2d_row_channels(table.lanes, 1, oc, ic, kw) : 0};
}

Layout layout_s8(const KernelTable& table, int oc, int ic, int kh, int kw) noexcept {
    const int group = table.levels.group();
    return {table,
            table.levels.block_vectors,
            oc,
            kh,
            conv2d_row_steps(ic, kw, group),
            conv2d_row_channels(table.lanes, group, oc, ic, kw)};
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

std::size_t packed_conv2d_f32_bias(const KernelTable& table, int oc) noexcept {
    return static_cast<std::size_t>(round_up_to_lanes(table, oc));
}

std::size_t packed_conv2d_f32_weights(const KernelTable& table, int oc, int ic, int kh, int kw,
                                      bool rows) noexcept {
    return layout_f32(table, oc, ic, kh, kw, rows).words();
}

PackedChannel packed_conv2d_f32_channel(const KernelTable& table, int oc, int ic, int kh, int kw,
                                        int o, bool rows) noexcept {
    const Layout layout = layout_f32(table, oc, ic, kh, kw, rows);
    return layout.channel(o, o - layout.first_of_block(o));
}

void pack_conv2d_f32(const KernelTable& table, const StoredWeights& weights, const float* bias,
                     int oc, int ic, int kh, int kw, float* packed_weights, float* packed_bias,
                     bool rows) noexcept {
    const std::ptrdiff_t taps = std::ptrdiff_t{kh} * kw;
    const Layout layout = layout_f32(table, oc, ic, kh, kw, rows);
    for (int o = 0; o < layout.channels(); ++o) {
        const PackedChannel at = layout.channel(o, o - layout.first_of_block(o));
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
    std::fill(packed_bias + oc, packed_bias + packed_conv2d_f32_bias(table, oc), 0.0f);
}

std::size_t packed_conv2d_s8_bias(const KernelTable& table, int oc) noexcept {
    return packed_conv2d_f32_bias(table, oc);
}

std::size_t packed_conv2d_s8_weights(const KernelTable& table, int oc, int ic, int kh,
                                     int kw) noexcept {
    return layout_s8(table, oc, ic, kh, kw).words();
}

void pack_conv2d_s8(const KernelTable& table, const StoredWeightsS8& weights,
                    const std::int32_t* bias, const float* scale, int oc, int ic, int kh, int kw,
                    std::int32_t* packed_weights, std::int32_t* packed_bias,
                    float* packed_scale) noexcept {
    const int group = table.levels.group();
    const Layout layout = layout_s8(table, oc, ic, kh, kw);
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
                                     (std::ptrdiff_t{r} * layout.steps + j / group) * at.step;
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
