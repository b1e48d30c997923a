#include "kernels/winograd.h"

#include <algorithm>
#include <cmath>
#include <xsimd/xsimd.hpp>

#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// Of the finite points in order; infinity is none of them.
double winograd_point(int points, int j) noexcept {
    const int of_pairs = j - winograd_first_pair(points);
    if (of_pairs < 0) return 0.0;
    const double a = kWinogradPairs[of_pairs / 2];
    return of_pairs % 2 == 0 ? a : -a;
}

using Doubles = xsimd::batch<double>;
constexpr int kDoubles = static_cast<int>(Doubles::size);

// Output channels that are transformed together: their taps, and what becomes of them.
constexpr int kTogether = std::max(16, 4 * kDoubles);
using Taps = double[kMaxWinogradPoints][kTogether];
using Points = double[kMaxWinogradPoints][kTogether];

// G, in double. The rows of +a and -a are the even terms plus and minus the odd ones, up to a
// sign that 0, being a point or not, decides.
void transform_weights(const WinogradMatrices& m, int points, int taps, const Taps& in,
                       Points& out) noexcept {
    const auto row = [&](int p, int first, int step, const double* column) LPRNET_INLINE {
        Doubles sum[4];
        unrolled<4>([&](auto v) LPRNET_INLINE { sum[v] = Doubles(0.0); });
        for (int t = first; t < taps; t += step) {
            const Doubles factor(m.weight[p][t]);
            const double* tap = column + t * kTogether;
            unrolled<4>([&](auto v) LPRNET_INLINE {
                sum[v] += factor * Doubles::load_unaligned(tap + v * kDoubles);
            });
        }
        return std::array<Doubles, 4>{sum[0], sum[1], sum[2], sum[3]};
    };
    const int first_pair = winograd_first_pair(points);
    const Doubles sign(first_pair == 1 ? 1.0 : -1.0);
    for (int j = 0; j < kTogether; j += 4 * kDoubles) {
        const auto store = [&](int p, int v, Doubles value)
                               LPRNET_INLINE { value.store_unaligned(&out[p][j + v * kDoubles]); };
        for (int p = first_pair; p + 1 < points; p += 2) {
            const auto even = row(p, 0, 2, &in[0][j]);
            const auto odd = row(p, 1, 2, &in[0][j]);
            unrolled<4>([&](auto v) LPRNET_INLINE {
                store(p, v, even[v] + odd[v]);
                store(p + 1, v, sign * (even[v] - odd[v]));
            });
        }
        for (const int p : {0, points - 1}) {
            if (p == 0 && first_pair == 0) continue;
            const auto all = row(p, 0, 1, &in[0][j]);
            unrolled<4>([&](auto v) LPRNET_INLINE { store(p, v, all[v]); });
        }
    }
}

}  // namespace

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
        // Channels that lie side by side go together: vectors of them, and whole cache lines.
        const PackedChannel at = packed_conv2d_f32_channel(table, oc, k, 1, 1, first);
        for (count = 1; count < kTogether && first + count < channels; ++count) {
            const PackedChannel next = packed_conv2d_f32_channel(table, oc, k, 1, 1, first + count);
            if (next.begin != at.begin + count || next.step != at.step) break;
        }
        // What does not exist, a channel or a tap of the last group, stays 0 or is not read.
        Taps group = {};
        Points transformed;
        const float* stored[kTogether];
        double scale[kTogether];
        const int existing = std::min(count, oc - first);
        for (int j = 0; j < existing; ++j) {
            stored[j] = weights.oihw + weights.output(first + j) * per_channel;
            scale[j] = weights.scale_of(first + j);
        }
        for (int i = 0; i < ic; ++i) {
            for (int g = 0; g < groups; ++g) {
                const int in_group = std::min(group_taps, taps - g * group_taps);
                const std::ptrdiff_t at_tap =
                    std::ptrdiff_t{weights.input(i)} * taps + g * group_taps;
                for (int j = 0; j < existing; ++j) {
                    for (int t = 0; t < in_group; ++t) {
                        group[t][j] = static_cast<double>(stored[j][at_tap + t]) * scale[j];
                    }
                }
                transform_weights(m, points, in_group, group, transformed);
                float* out = packed_weights + at.begin + (std::ptrdiff_t{g} * ic + i) * at.step;
                for (int p = 0; p < points; ++p, out += size) {
                    for (int j = 0; j < count; ++j) out[j] = static_cast<float>(transformed[p][j]);
                }
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
