// From floats to the elements of quantized tensors.
#pragma once

#include <cmath>
#include <xsimd/xsimd.hpp>

#include "kernels/quantize_f32/quantize_f32.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
void quantize_f32(const QuantizeF32& a) noexcept {
    using Element = typename Isa::Level;
    using Real = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Real::size);
    static_assert(kQuantizePeriod % kLanes == 0);
    Element* out = static_cast<Element*>(a.output);
    int i = 0;
    for (int phase = 0; i + kLanes <= a.count; i += kLanes) {
        const Real scaled =
            Real::load_unaligned(a.input + i) * Real::load_unaligned(a.multiplier + phase);
        // Within the range of int32 whatever came in; the comparison drops NaN.
        const Real value = xsimd::min(
            xsimd::max(scaled + Real::load_unaligned(a.offset + phase), Real(0.0f)), Real(255.0f));
        Isa::narrow(xsimd::nearbyint_as_int(value), out + i);
        phase = phase + kLanes == a.period ? 0 : phase + kLanes;
    }
    for (; i < a.count; ++i) {
        const float scaled = a.input[i] * a.multiplier[i % a.period];
        const float value = scaled + a.offset[i % a.period];
        const float limited = value > 0.0f ? (value < 255.0f ? value : 255.0f) : 0.0f;
        out[i] = static_cast<Element>(std::nearbyint(limited));
    }
}

}  // namespace
}  // namespace lprnet::kernels
