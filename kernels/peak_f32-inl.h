// The rate that no convolution can exceed: multiply-adds on registers alone. Only
// the benchmarks call it, to tell each kernel's share of the peak.
#pragma once

#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// Multiply-adds in flight: above latency x issue rate (4 x 2 on current cores) and
// within the 16 registers of the smallest instruction set.
inline constexpr int kPeakChains = 12;

template <class Isa>
std::int64_t peak_f32(std::int64_t rounds, float* sink) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    Batch acc[kPeakChains];
    for (int i = 0; i < kPeakChains; ++i) acc[i] = Batch(static_cast<float>(i));
    // Converges to 1, so that no value overflows or becomes denormal.
    const Batch factor(0.5f);
    const Batch addend(0.5f);
    for (std::int64_t r = 0; r < rounds; ++r) {
        for (int i = 0; i < kPeakChains; ++i) acc[i] = Isa::fma(acc[i], factor, addend);
    }
    Batch sum = acc[0];
    for (int i = 1; i < kPeakChains; ++i) sum += acc[i];
    alignas(64) float lane[Batch::size];
    sum.store_aligned(lane);
    *sink = lane[0];
    return rounds * kPeakChains * static_cast<std::int64_t>(Batch::size);
}

// The same for the products of quantized tensors' elements.
template <class Isa>
std::int64_t peak_s8(std::int64_t rounds, float* sink) noexcept {
    using Sums = xsimd::batch<std::int32_t, typename Isa::arch>;
    Sums acc[kPeakChains];
    unrolled<kPeakChains>([&](auto i) LPRNET_INLINE { acc[i] = Sums(i); });
    Sums activations(0x01010101);
    const Sums weights(0x01000001);
    for (std::int64_t r = 0; r < rounds; ++r) {
        unrolled<kPeakChains>([&](auto i) LPRNET_INLINE {
            // Products of what stays the same would be computed once, before the loop.
            Isa::forget(activations);
            acc[i] = Isa::dot(acc[i], activations, weights);
            // GCC 12 would copy the sums, for which 16 registers are too few.
            if constexpr (sizeof(Sums) < 64) Isa::forget(acc[i]);
        });
    }
    Sums sum(0);
    unrolled<kPeakChains>([&](auto i) LPRNET_INLINE { sum += acc[i]; });
    alignas(64) std::int32_t lane[Sums::size];
    sum.store_aligned(lane);
    *sink = static_cast<float>(lane[0]);
    constexpr std::int64_t kGroup = sizeof(std::int32_t) / sizeof(typename Isa::Level);
    return rounds * kPeakChains * static_cast<std::int64_t>(Sums::size) * kGroup;
}

}  // namespace
}  // namespace lprnet::kernels
