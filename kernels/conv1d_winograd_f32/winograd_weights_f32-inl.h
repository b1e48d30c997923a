// The transform of weights for Winograd's algorithm, G of conv1d_winograd_f32.h, in double.
#pragma once

#include <algorithm>
#include <array>
#include <xsimd/xsimd.hpp>

#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// G times the taps of one input. The rows of +a and -a are the even terms plus and minus the odd
// ones, up to a sign that 0, being a point or not, decides.
template <class Isa>
void winograd_weights_of_input(const WinogradWeightsF32& a,
                               const double (&taps)[kMaxWinogradPoints][kWinogradTogether],
                               float* output) noexcept {
    using Batch = xsimd::batch<double, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);
    constexpr int kVectors = std::min(4, kWinogradTogether / kLanes);
    using Sums = std::array<Batch, kVectors>;
    static_assert(kWinogradTogether % (kVectors * kLanes) == 0);

    alignas(64) double points[kMaxWinogradPoints][kWinogradTogether];
    const int first_pair = winograd_first_pair(a.points);
    const Batch sign(first_pair == 1 ? 1.0 : -1.0);
    for (int c = 0; c < kWinogradTogether; c += kVectors * kLanes) {
        const auto row = [&](int p, int first, int by) LPRNET_INLINE {
            Sums sums;
            unrolled<kVectors>([&](auto v) LPRNET_INLINE { sums[v] = Batch(0.0); });
            for (int t = first; t < a.taps; t += by) {
                const Batch weight(a.matrices->weight[p][t]);
                unrolled<kVectors>([&](auto v) LPRNET_INLINE {
                    sums[v] += weight * Batch::load_aligned(&taps[t][c + v * kLanes]);
                });
            }
            return sums;
        };
        const auto store = [&](int p, auto v, Batch value)
                               LPRNET_INLINE { value.store_aligned(&points[p][c + v * kLanes]); };
        for (int p = first_pair; p + 1 < a.points; p += 2) {
            const Sums even = row(p, 0, 2), odd = row(p, 1, 2);
            unrolled<kVectors>([&](auto v) LPRNET_INLINE {
                store(p, v, even[v] + odd[v]);
                store(p + 1, v, sign * (even[v] - odd[v]));
            });
        }
        for (const int p : {0, a.points - 1}) {
            if (p == 0 && first_pair == 0) continue;
            const Sums all = row(p, 0, 1);
            unrolled<kVectors>([&](auto v) LPRNET_INLINE { store(p, v, all[v]); });
        }
    }
    for (int p = 0; p < a.points; ++p, output += a.point_stride) {
        if (a.channels == kWinogradTogether && a.channel_stride == 1) {
            for (int c = 0; c < kWinogradTogether; ++c)
                output[c] = static_cast<float>(points[p][c]);
        } else {
            for (int c = 0; c < a.channels; ++c) {
                output[c * a.channel_stride] = static_cast<float>(points[p][c]);
            }
        }
    }
}

template <class Isa>
void winograd_weights_f32(const WinogradWeightsF32& a) noexcept {
    alignas(64) double taps[kMaxWinogradPoints][kWinogradTogether];
    const float* weights = a.weights;
    for (int i = 0; i < a.inputs; ++i) {
        for (int t = 0; t < a.taps; ++t, weights += kWinogradTogether) {
            for (int c = 0; c < kWinogradTogether; ++c) {
                taps[t][c] = static_cast<double>(weights[c]) * a.scale[c];
            }
        }
        winograd_weights_of_input<Isa>(a, taps, a.output + i * a.input_stride);
    }
}

}  // namespace
}  // namespace lprnet::kernels
