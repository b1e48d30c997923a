// What the instruction sets of AArch64 have in common.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/isa/isa-inl.h"

namespace lprnet::kernels {
namespace {

struct Neon {
    using arch = xsimd::neon64;
    using Batch = xsimd::batch<float, arch>;
    using Sums = xsimd::batch<std::int32_t, arch>;
    // 24 accumulators, 2 weights and 1 activation: 27 of 32 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 12;
    // 20 accumulators, 5 vectors of pixels and 1 weight: 26 of 32 registers.
    static constexpr int sparse_vectors = 5;
    static constexpr int sparse_tiles = 4;
    static void forget(Sums& v) noexcept { asm volatile("" : "+w"(v.data)); }
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return vfmaq_f32(c, a, b); }
    LPRNET_INLINE static void transpose(Batch (&m)[4]) noexcept {
        const float32x4_t low01 = vzip1q_f32(m[0], m[1]), high01 = vzip2q_f32(m[0], m[1]);
        const float32x4_t low23 = vzip1q_f32(m[2], m[3]), high23 = vzip2q_f32(m[2], m[3]);
        m[0] = vcombine_f32(vget_low_f32(low01), vget_low_f32(low23));
        m[1] = vcombine_f32(vget_high_f32(low01), vget_high_f32(low23));
        m[2] = vcombine_f32(vget_low_f32(high01), vget_low_f32(high23));
        m[3] = vcombine_f32(vget_high_f32(high01), vget_high_f32(high23));
    }
    template <int L>
    static Batch fma_lane(Batch a, Batch b, Batch c) noexcept {
        return vfmaq_laneq_f32(c, b, a, L);
    }
    template <int L>
    static Batch mul_lane(Batch a, Batch b) noexcept {
        return vmulq_laneq_f32(b, a, L);
    }

    static int16x8_t words(Sums a, Sums b) noexcept {
        return vcombine_s16(vqmovn_s32(a), vqmovn_s32(b));
    }
    static int16x8_t limited(int16x8_t w) noexcept {
        return vminq_s16(vmaxq_s16(w, vdupq_n_s16(0)), vdupq_n_s16(255));
    }
    static void narrow(Sums a, Sums b, std::uint8_t* out) noexcept {
        vst1_u8(out, vqmovun_s16(words(a, b)));
    }
    static void narrow(Sums a, std::uint8_t* out) noexcept {
        const std::uint32_t bytes = vget_lane_u32(vreinterpret_u32_u8(vqmovun_s16(words(a, a))), 0);
        std::memcpy(out, &bytes, sizeof bytes);
    }
    static void narrow(Sums a, Sums b, std::int16_t* out) noexcept {
        vst1q_s16(out, limited(words(a, b)));
    }
    static void narrow(Sums a, std::int16_t* out) noexcept {
        vst1_s16(out, vget_low_s16(limited(words(a, a))));
    }
};

}  // namespace

struct NeonKernels {
    using Level = std::int16_t;
#define LPRNET_DECLARE_f32(declaration) declaration
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

}  // namespace lprnet::kernels
