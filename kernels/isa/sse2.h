// x86-64 baseline: 128-bit vectors, no fused multiply-add.
#pragma once

#include <cstdint>

#include "kernels/isa/isa-inl.h"

namespace lprnet::kernels {

struct Sse2Kernels {
    using Level = std::int16_t;
#define LPRNET_DECLARE_f32(declaration) declaration
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

using OwnKernels = Sse2Kernels;

namespace {

struct Isa {
    using arch = xsimd::sse2;
    using Batch = xsimd::batch<float, arch>;
    // 12 accumulators, 2 weights, 1 activation and 1 product fill the 16 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 6;
    // 8 accumulators, 2 vectors of pixels, 1 weight and 1 product: 12 of 16 registers.
    static constexpr int sparse_vectors = 2;
    static constexpr int sparse_tiles = 10;
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return a * b + c; }
    LPRNET_INLINE static void transpose(Batch (&m)[4]) noexcept {
        __m128 r0 = m[0], r1 = m[1], r2 = m[2], r3 = m[3];
        _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
        m[0] = r0;
        m[1] = r1;
        m[2] = r2;
        m[3] = r3;
    }

    using Level = OwnKernels::Level;
    using Sums = xsimd::batch<std::int32_t, arch>;
    static void forget(Sums& v) noexcept { asm volatile("" : "+x"(v.data)); }
    static constexpr int level_vectors = 2;
    static constexpr int level_offset = 0;
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        return _mm_add_epi32(sum, _mm_madd_epi16(x, w));
    }
    static __m128i limited(__m128i words) noexcept {
        return _mm_min_epi16(_mm_max_epi16(words, _mm_setzero_si128()), _mm_set1_epi16(255));
    }
    static void narrow(Sums a, Sums b, std::int16_t* out) noexcept {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), limited(_mm_packs_epi32(a, b)));
    }
    static void narrow(Sums a, std::int16_t* out) noexcept {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out), limited(_mm_packs_epi32(a, a)));
    }
};

}  // namespace
}  // namespace lprnet::kernels
