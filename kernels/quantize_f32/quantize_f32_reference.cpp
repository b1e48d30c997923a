#include "kernels/quantize_f32/quantize_f32.h"

#include <algorithm>
#include <cmath>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::quantize_f32(const QuantizeF32& a) noexcept {
    for (int i = 0; i < a.count; ++i) {
        const float scaled = a.input[i] * a.multiplier[i % a.period];
        const float value = scaled + a.offset[i % a.period];
        const float limited = value > 0.0f ? std::min(value, 255.0f) : 0.0f;
        static_cast<Level*>(a.output)[i] = static_cast<Level>(std::nearbyint(limited));
    }
}

}  // namespace lprnet::kernels
