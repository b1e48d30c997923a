// What the instruction sets with 256-bit vectors have in common.
#pragma once

#include <cstdint>

#include "kernels/isa/isa-inl.h"

namespace lprnet::kernels {
namespace {

struct Avx2 {
    using arch = xsimd::fma3<xsimd::avx2>;
    using Batch = xsimd::batch<float, arch>;
    using Sums = xsimd::batch<std::int32_t, arch>;
    // 12 accumulators, 2 weights and 1 activation: 15 of 16 registers.
    static constexpr int block_vectors = 2;
    static constexpr int level_vectors = 2;
    static constexpr int tile_pixels = 6;
    // 12 accumulators, 3 vectors of pixels and 1 weight fill the 16 registers.
    static constexpr int sparse_vectors = 3;
    static constexpr int sparse_tiles = 3;
    static void forget(Sums& v) noexcept { asm volatile("" : "+x"(v.data)); }
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return _mm256_fmadd_ps(a, b, c); }
    // Four rows are transposed within each half of the vectors, then the halves.
    LPRNET_INLINE static void transpose(Batch (&m)[8]) noexcept {
        __m256 half[8];
        unrolled<2>([&](auto r) LPRNET_INLINE {
            const __m256 low01 = _mm256_unpacklo_ps(m[4 * r], m[4 * r + 1]);
            const __m256 low23 = _mm256_unpacklo_ps(m[4 * r + 2], m[4 * r + 3]);
            const __m256 high01 = _mm256_unpackhi_ps(m[4 * r], m[4 * r + 1]);
            const __m256 high23 = _mm256_unpackhi_ps(m[4 * r + 2], m[4 * r + 3]);
            half[4 * r] = _mm256_shuffle_ps(low01, low23, 0x44);
            half[4 * r + 1] = _mm256_shuffle_ps(low01, low23, 0xee);
            half[4 * r + 2] = _mm256_shuffle_ps(high01, high23, 0x44);
            half[4 * r + 3] = _mm256_shuffle_ps(high01, high23, 0xee);
        });
        unrolled<4>([&](auto c) LPRNET_INLINE {
            m[c] = _mm256_permute2f128_ps(half[c], half[4 + c], 0x20);
            m[4 + c] = _mm256_permute2f128_ps(half[c], half[4 + c], 0x31);
        });
    }

    static void narrow(Sums a, Sums b, std::uint8_t* out) noexcept {
        const __m256i words = _mm256_packs_epi32(a, b);
        const __m128i bytes =
            _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    }
    static void narrow(Sums a, std::uint8_t* out) noexcept {
        const __m128i words =
            _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(words, words));
    }
    static void narrow(Sums a, Sums b, std::int16_t* out) noexcept {
        const __m256i words = _mm256_packs_epi32(a, b);
        const __m256i limited = _mm256_min_epi16(_mm256_max_epi16(words, _mm256_setzero_si256()),
                                                 _mm256_set1_epi16(255));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), limited);
    }
    static void narrow(Sums a, std::int16_t* out) noexcept {
        const __m128i words =
            _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
        const __m128i limited =
            _mm_min_epi16(_mm_max_epi16(words, _mm_setzero_si128()), _mm_set1_epi16(255));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), limited);
    }
};

}  // namespace

struct Avx2Kernels {
    using Level = std::int16_t;
#define LPRNET_DECLARE_f32(declaration) declaration
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

}  // namespace lprnet::kernels
