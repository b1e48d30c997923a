// Products of levels and int8 weights on registers alone.
#pragma once

#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "kernels/peak_s8/peak_s8.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// As many as in peak_f32.
inline constexpr int kPeakChainsS8 = 12;

template <class Isa>
void peak_s8(const PeakS8& a) noexcept {
    using Sums = xsimd::batch<std::int32_t, typename Isa::arch>;
    Sums acc[kPeakChainsS8];
    unrolled<kPeakChainsS8>([&](auto i) LPRNET_INLINE { acc[i] = Sums(i); });
    Sums activations(0x01010101);
    const Sums weights(0x01000001);
    for (std::int64_t r = 0; r < a.rounds; ++r) {
        unrolled<kPeakChainsS8>([&](auto i) LPRNET_INLINE {
            // Products of what stays the same would be computed once, before the loop.
            Isa::forget(activations);
            acc[i] = Isa::dot(acc[i], activations, weights);
            // GCC 12 would copy the sums, for which 16 registers are too few.
            if constexpr (sizeof(Sums) < 64) Isa::forget(acc[i]);
        });
    }
    Sums sum(0);
    unrolled<kPeakChainsS8>([&](auto i) LPRNET_INLINE { sum += acc[i]; });
    alignas(64) std::int32_t lane[Sums::size];
    sum.store_aligned(lane);
    *a.sink = static_cast<float>(lane[0]);
    constexpr std::int64_t kGroup = sizeof(std::int32_t) / sizeof(typename Isa::Level);
    *a.multiply_adds = a.rounds * kPeakChainsS8 * static_cast<std::int64_t>(Sums::size) * kGroup;
}

}  // namespace
}  // namespace lprnet::kernels
