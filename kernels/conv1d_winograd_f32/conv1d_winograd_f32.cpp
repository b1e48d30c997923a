#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

namespace {

// Of the finite points in order; infinity is none of them.
double winograd_point(int points, int j) noexcept {
    const int of_pairs = j - winograd_first_pair(points);
    if (of_pairs < 0) return 0.0;
    const double a = kWinogradPairs[of_pairs / 2];
    return of_pairs % 2 == 0 ? a : -a;
}

}  // namespace

bool narrow(Conv1dWinogradF32& a, const Part& part, const KernelTable&) noexcept {
    const Range tiles = range_of(part, a.tiles);
    a.first_tile += tiles.begin;
    a.tiles = tiles.size();
    return a.tiles > 0;
}

WinogradMatrices winograd_matrices(int points, int tile) noexcept {
    WinogradMatrices m = {};
    const int finite = points - 1;
    const int taps = points + 1 - tile;
    const auto point = [points](int j) { return winograd_point(points, j); };
    for (int j = 0; j < finite; ++j) {
        // B^T: coefficients of the product of (x - a_l) over the other finite points.
        double* row = m.input[j];
        row[0] = 1.0;
        double scale = 1.0;
        for (int l = 0; l < finite; ++l) {
            if (l == j) continue;
            for (int i = points - 1; i > 0; --i) row[i] = row[i - 1] - point(l) * row[i];
            row[0] *= -point(l);
            scale *= point(j) - point(l);
        }
        for (int k = 0; k < taps; ++k) m.weight[j][k] = std::pow(point(j), k) / scale;
        for (int i = 0; i < tile; ++i) m.output[i][j] = std::pow(point(j), i);
    }
    double* row = m.input[finite];
    row[0] = 1.0;
    for (int l = 0; l < finite; ++l) {
        for (int i = points - 1; i > 0; --i) row[i] = row[i - 1] - point(l) * row[i];
        row[0] *= -point(l);
    }
    m.weight[finite][taps - 1] = 1.0;
    m.output[tile - 1][finite] = 1.0;
    return m;
}

std::size_t packed_conv1d_winograd_f32_weights(const KernelTable& table, int oc, int ic, int taps,
                                               int points, int tile) noexcept {
    const int k = winograd_groups(taps, points, tile) * ic;
    return static_cast<std::size_t>(points) * packed_conv2d_f32_weights(table, oc, k, 1, 1);
}

void pack_conv1d_winograd_f32(const KernelTable& table, const StoredWeights& weights,
                              const float* bias, int oc, int ic, int taps, int points, int tile,
                              float* packed_weights, float* packed_bias) noexcept {
    const WinogradMatrices m = winograd_matrices(points, tile);
    const int group_taps = points + 1 - tile;
    const int groups = winograd_groups(taps, points, tile);
    const int k = groups * ic;
    const std::size_t size = packed_conv2d_f32_weights(table, oc, k, 1, 1);
    const std::ptrdiff_t per_channel = std::ptrdiff_t{ic} * taps;
    const auto padded = static_cast<int>(packed_conv2d_f32_bias(table, oc));
    const int channels = conv2d_row_channels(table.lanes, 1, oc, k, 1) > 0 ? oc : padded;
    int count = 0;
    for (int first = 0; first < channels; first += count) {
        // Channels that lie at equal distances go together: vectors of them, or rows.
        const PackedChannel at = packed_conv2d_f32_channel(table, oc, k, 1, 1, first);
        std::ptrdiff_t distance = 1;
        for (count = 1; count < kWinogradTogether && first + count < channels; ++count) {
            const PackedChannel next = packed_conv2d_f32_channel(table, oc, k, 1, 1, first + count);
            if (count == 1) distance = next.begin - at.begin;
            if (next.begin != at.begin + count * distance || next.stride != at.stride) break;
        }
        // What does not exist, a channel or a tap of the last group, stays 0 or is not read.
        const float* stored[kWinogradTogether];
        double scale[kWinogradTogether] = {};
        const int existing = std::min(count, oc - first);
        for (int j = 0; j < existing; ++j) {
            stored[j] = weights.oihw + weights.output(first + j) * per_channel;
            scale[j] = weights.scale_of(first + j);
        }
        // Several inputs at a time: a vector load of numbers that were stored one by one has to
        // wait until those stores have left the store buffer, because no load is forwarded from
        // several stores. Before eight inputs are through, the first of them have left.
        constexpr int kInputs = 8;
        float taken[kInputs * kMaxWinogradPoints * kWinogradTogether] = {};
        for (int g = 0; g < groups; ++g) {
            const int in_group = std::min(group_taps, taps - g * group_taps);
            for (int i = 0; i < ic; i += kInputs) {
                const int inputs = std::min(kInputs, ic - i);
                float* to = taken;
                for (int n = i; n < i + inputs; ++n) {
                    const std::ptrdiff_t from =
                        std::ptrdiff_t{weights.input(n)} * taps + g * group_taps;
                    for (int t = 0; t < in_group; ++t, to += kWinogradTogether) {
                        for (int j = 0; j < existing; ++j) to[j] = stored[j][from + t];
                    }
                }
                table.winograd_weights_f32({
                    .matrices = &m,
                    .weights = taken,
                    .scale = scale,
                    .output = packed_weights + at.begin + (std::ptrdiff_t{g} * ic + i) * at.stride,
                    .point_stride = static_cast<std::ptrdiff_t>(size),
                    .input_stride = at.stride,
                    .channel_stride = distance,
                    .points = points,
                    .taps = in_group,
                    .inputs = inputs,
                    .channels = count,
                });
            }
        }
    }
    std::copy(bias, bias + oc, packed_bias);
    std::fill(packed_bias + oc, packed_bias + padded, 0.0f);
}

std::size_t conv1d_winograd_f32_scratch(int oc, int ic, int taps, int points, int tile,
                                        int block) noexcept {
    const int k = winograd_groups(taps, points, tile) * ic;
    const std::ptrdiff_t planes = winograd_plane(block, k) + winograd_plane(block, oc);
    return static_cast<std::size_t>(points * planes + winograd_zeros(oc));
}

}  // namespace lprnet::kernels
