// AArch64 baseline: 128-bit NEON with fused multiply-add.
#pragma once

#include "kernels/isa/neon-inl.h"

namespace lprnet::kernels {

using OwnKernels = NeonKernels;

namespace {

struct Isa : Neon {
    using Level = OwnKernels::Level;
    static constexpr int level_offset = 0;
    static constexpr int level_vectors = 2;
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        const int16x8_t a = vreinterpretq_s16_s32(x), b = vreinterpretq_s16_s32(w);
        const int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
        return vaddq_s32(sum, vpaddq_s32(low, vmull_high_s16(a, b)));
    }
};

}  // namespace
}  // namespace lprnet::kernels
