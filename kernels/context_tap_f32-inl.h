// One branch of the global context: average pool, per-image normalisation and
// mean over the height in a single pass over the input; the formula stands in
// shapes.h. The pooled map itself never exists in memory.
#pragma once

#include <cstddef>
#include <xsimd/xsimd.hpp>

#include "kernels/shapes.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// Means of V vectors of adjacent channels over one window, added to or stored in
// `output`. Returns squares + the sum of their squares, lane by lane.
template <class Isa, int V>
xsimd::batch<float, typename Isa::arch> context_tap_f32_vectors(
    const ContextTapF32& a, const float* window, float* output, bool add,
    xsimd::batch<float, typename Isa::arch> squares) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);

    Batch sum[V];
    unrolled<V>([&](auto v) LPRNET_INLINE { sum[v] = Batch(0.0f); });
    for (int r = 0; r < a.kh; ++r) {
        const float* pixel = window + r * a.input_row;
        for (int s = 0; s < a.kw; ++s, pixel += a.channels) {
            unrolled<V>([&](auto v)
                            LPRNET_INLINE { sum[v] += Batch::load_unaligned(pixel + v * kLanes); });
        }
    }
    const Batch inverse(1.0f / static_cast<float>(a.kh * a.kw));
    unrolled<V>([&](auto v) LPRNET_INLINE {
        Batch mean = sum[v] * inverse;
        squares = Isa::fma(mean, mean, squares);
        if (add) mean += Batch::load_unaligned(output + v * kLanes);
        mean.store_unaligned(output + v * kLanes);
    });
    return squares;
}

template <class Isa>
void context_tap_f32(const ContextTapF32& a) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);
    constexpr int kVectors = 4;  // independent sums, to hide the latency of the additions

    Batch squares(0.0f);
    double squares_tail = 0.0;
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* window = a.input + y * a.stride_h * a.input_row +
                                  static_cast<std::ptrdiff_t>(x) * a.stride_w * a.channels;
            float* out = a.output + x * a.output_column;
            int c = 0;
            for (; c + kVectors * kLanes <= a.channels; c += kVectors * kLanes) {
                squares =
                    context_tap_f32_vectors<Isa, kVectors>(a, window + c, out + c, y > 0, squares);
            }
            for (; c + kLanes <= a.channels; c += kLanes) {
                squares = context_tap_f32_vectors<Isa, 1>(a, window + c, out + c, y > 0, squares);
            }
            for (; c < a.channels; ++c) {
                float sum = 0.0f;
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        sum += window[r * a.input_row +
                                      static_cast<std::ptrdiff_t>(s) * a.channels + c];
                    }
                }
                const float mean = sum / static_cast<float>(a.kh * a.kw);
                squares_tail += static_cast<double>(mean) * static_cast<double>(mean);
                out[c] = y > 0 ? out[c] + mean : mean;
            }
        }
    }

    alignas(64) float lane[kLanes];
    squares.store_aligned(lane);
    double total = squares_tail;
    for (int i = 0; i < kLanes; ++i) total += static_cast<double>(lane[i]);
    // mean over y / mean square = (sum / oh) * (oh * ow * channels / total)
    const float scale =
        total > 0.0 ? static_cast<float>(static_cast<double>(a.ow) * a.channels / total) : 0.0f;
    for (int x = 0; x < a.ow; ++x) {
        float* out = a.output + x * a.output_column;
        int c = 0;
        for (; c + kLanes <= a.channels; c += kLanes) {
            (Batch::load_unaligned(out + c) * Batch(scale)).store_unaligned(out + c);
        }
        for (; c < a.channels; ++c) out[c] *= scale;
    }
}

}  // namespace
}  // namespace lprnet::kernels
