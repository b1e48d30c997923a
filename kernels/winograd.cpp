#include "kernels/winograd.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/pack.h"

namespace lprnet::kernels {
namespace {

// Of the finite points in order; infinity is none of them.
double winograd_point(int j) noexcept {
    if (j == 0) return 0.0;
    const double a = kWinogradPairs[(j - 1) / 2];
    return j % 2 == 1 ? a : -a;
}

}  // namespace

WinogradMatrices winograd_matrices(int points, int tile) noexcept {
    WinogradMatrices m = {};
    const int finite = points - 1;
    const int taps = points + 1 - tile;
    for (int j = 0; j < finite; ++j) {
        // B^T: coefficients of the product of (x - a_l) over the other finite points.
        double* row = m.input[j];
        row[0] = 1.0;
        double scale = 1.0;
        for (int l = 0; l < finite; ++l) {
            if (l == j) continue;
            for (int i = points - 1; i > 0; --i) row[i] = row[i - 1] - winograd_point(l) * row[i];
            row[0] *= -winograd_point(l);
            scale *= winograd_point(j) - winograd_point(l);
        }
        for (int k = 0; k < taps; ++k) m.weight[j][k] = std::pow(winograd_point(j), k) / scale;
        for (int i = 0; i < tile; ++i) m.output[i][j] = std::pow(winograd_point(j), i);
    }
    double* row = m.input[finite];
    row[0] = 1.0;
    for (int l = 0; l < finite; ++l) {
        for (int i = points - 1; i > 0; --i) row[i] = row[i - 1] - winograd_point(l) * row[i];
        row[0] *= -winograd_point(l);
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

void pack_conv1d_winograd_f32(const KernelTable& table, const float* weights, const float* bias,
                              int oc, int ic, int taps, int points, int tile, float* packed_weights,
                              float* packed_bias) {
    const WinogradMatrices m = winograd_matrices(points, tile);
    const int group_taps = points + 1 - tile;
    const int groups = winograd_groups(taps, points, tile);
    const int k = groups * ic;
    const std::size_t size = packed_conv2d_f32_weights(table, oc, k, 1, 1);
    std::fill_n(packed_weights, static_cast<std::size_t>(points) * size, 0.0f);
    // One group's taps of one channel at a time, [tap][ic], so that all loops run along ic.
    const auto inputs = static_cast<std::size_t>(ic);
    std::vector<double> group(static_cast<std::size_t>(group_taps) * inputs);
    std::vector<double> sum(inputs);
    for (int o = 0; o < oc; ++o) {
        const PackedChannel at = packed_conv2d_f32_channel(table, oc, k, 1, 1, o);
        for (int g = 0; g < groups; ++g) {
            const int first = g * group_taps;
            const int count = std::min(group_taps, taps - first);
            const float* tap = weights + static_cast<std::ptrdiff_t>(o) * ic * taps + first;
            for (std::size_t i = 0; i < inputs; ++i, tap += taps) {
                for (int t = 0; t < count; ++t) {
                    group[static_cast<std::size_t>(t) * inputs + i] = static_cast<double>(tap[t]);
                }
            }
            for (int p = 0; p < points; ++p) {
                std::fill(sum.begin(), sum.end(), 0.0);
                for (int t = 0; t < count; ++t) {
                    const double factor = m.weight[p][t];
                    const double* values = group.data() + static_cast<std::size_t>(t) * inputs;
                    for (std::size_t i = 0; i < inputs; ++i) sum[i] += factor * values[i];
                }
                float* out = packed_weights + static_cast<std::size_t>(p) * size + at.begin +
                             static_cast<std::ptrdiff_t>(g) * ic * at.step;
                for (std::size_t i = 0; i < inputs; ++i, out += at.step) {
                    *out = static_cast<float>(sum[i]);
                }
            }
        }
    }
    std::copy(bias, bias + oc, packed_bias);
    std::fill(packed_bias + oc, packed_bias + packed_conv2d_f32_bias(table, oc), 0.0f);
}

std::size_t conv1d_winograd_f32_scratch(int oc, int ic, int taps, int points, int tile,
                                        int block) noexcept {
    const int k = winograd_groups(taps, points, tile) * ic;
    const std::ptrdiff_t planes = winograd_plane(block, k) + winograd_plane(block, oc);
    return static_cast<std::size_t>(points * planes + winograd_zeros(oc));
}

}  // namespace lprnet::kernels
