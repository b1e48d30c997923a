// AArch64 with the byte dot products of Armv8.2.
#pragma once

#include "kernels/isa/neon-inl.h"

namespace lprnet::kernels {

struct NeonDotKernels : NeonKernels {
    using Base = NeonKernels;
    using Level = std::uint8_t;
#define LPRNET_DECLARE_f32(declaration)
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

using OwnKernels = NeonDotKernels;

namespace {

// SDOT multiplies signed bytes: 128 less than an activation is one.
struct Isa : Neon {
    using Level = OwnKernels::Level;
    static constexpr int level_offset = 128;
    static constexpr int level_vectors = 4;
    static Sums dot_activations(Sums x) noexcept {
        return vreinterpretq_s32_u8(veorq_u8(vreinterpretq_u8_s32(x), vdupq_n_u8(0x80)));
    }
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        return vdotq_s32(sum, vreinterpretq_s8_s32(dot_activations(x)), vreinterpretq_s8_s32(w));
    }
    // Around the intrinsic GCC 12 copies sums from register to register.
    template <int L>
    static Sums dot_lane(Sums sum, Sums x, Sums w) noexcept {
        asm("sdot %0.4s, %1.16b, %2.4b[%c3]" : "+w"(sum.data) : "w"(w.data), "w"(x.data), "i"(L));
        return sum;
    }
    using Neon::narrow;
    static void narrow(Sums a, Sums b, Sums c, Sums d, std::uint8_t* out) noexcept {
        vst1q_u8(out, vcombine_u8(vqmovun_s16(words(a, b)), vqmovun_s16(words(c, d))));
    }
};

}  // namespace
}  // namespace lprnet::kernels
