// The rate that no convolution can exceed: multiply-adds on registers alone. Only
// the benchmarks call it, to tell each kernel's share of the peak.
#pragma once

#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "kernels/peak_f32/peak_f32.h"

namespace lprnet::kernels {
namespace {

// Multiply-adds in flight: above latency x issue rate (4 x 2 on current cores) and
// within the 16 registers of the smallest instruction set.
inline constexpr int kPeakChains = 12;

template <class Isa>
void peak_f32(const PeakF32& a) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    Batch acc[kPeakChains];
    for (int i = 0; i < kPeakChains; ++i) acc[i] = Batch(static_cast<float>(i));
    // Converges to 1, so that no value overflows or becomes denormal.
    const Batch multiplier(0.5f);
    const Batch addend(0.5f);
    for (std::int64_t r = 0; r < a.rounds; ++r) {
        for (int i = 0; i < kPeakChains; ++i) acc[i] = Isa::fma(acc[i], multiplier, addend);
    }
    Batch sum = acc[0];
    for (int i = 1; i < kPeakChains; ++i) sum += acc[i];
    alignas(64) float lane[Batch::size];
    sum.store_aligned(lane);
    *a.sink = lane[0];
    *a.multiply_adds = a.rounds * kPeakChains * static_cast<std::int64_t>(Batch::size);
}

}  // namespace
}  // namespace lprnet::kernels
