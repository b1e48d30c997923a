// What the instruction sets with 512-bit vectors have in common.
#pragma once

#include <cstdint>

#include "kernels/isa/isa-inl.h"

namespace lprnet::kernels {
namespace {

struct Avx512 {
    using arch = xsimd::avx512bw;
    using Batch = xsimd::batch<float, arch>;
    using Sums = xsimd::batch<std::int32_t, arch>;
    // 24 accumulators, 2 weights and 1 activation: 27 of 32 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 12;
    // 20 accumulators, 5 vectors of pixels and 1 weight: 26 of 32 registers.
    static constexpr int sparse_vectors = 5;
    static constexpr int sparse_tiles = 1;
    // Four fill a cache line when they are narrowed to bytes.
    static constexpr int level_vectors = 4;
    static void forget(Sums& v) noexcept { asm volatile("" : "+v"(v.data)); }
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return _mm512_fmadd_ps(a, b, c); }
    // Four rows are transposed within each quarter of the vectors, then the quarters.
    LPRNET_INLINE static void transpose(Batch (&m)[16]) noexcept {
        __m512 quarter[16];
        unrolled<4>([&](auto r) LPRNET_INLINE {
            const __m512 low01 = _mm512_unpacklo_ps(m[4 * r], m[4 * r + 1]);
            const __m512 low23 = _mm512_unpacklo_ps(m[4 * r + 2], m[4 * r + 3]);
            const __m512 high01 = _mm512_unpackhi_ps(m[4 * r], m[4 * r + 1]);
            const __m512 high23 = _mm512_unpackhi_ps(m[4 * r + 2], m[4 * r + 3]);
            quarter[4 * r] = pairs<0>(low01, low23);
            quarter[4 * r + 1] = pairs<1>(low01, low23);
            quarter[4 * r + 2] = pairs<0>(high01, high23);
            quarter[4 * r + 3] = pairs<1>(high01, high23);
        });
        unrolled<4>([&](auto c) LPRNET_INLINE {
            const __m512 even01 = _mm512_shuffle_f32x4(quarter[c], quarter[4 + c], 0x88);
            const __m512 odd01 = _mm512_shuffle_f32x4(quarter[c], quarter[4 + c], 0xdd);
            const __m512 even23 = _mm512_shuffle_f32x4(quarter[8 + c], quarter[12 + c], 0x88);
            const __m512 odd23 = _mm512_shuffle_f32x4(quarter[8 + c], quarter[12 + c], 0xdd);
            m[c] = _mm512_shuffle_f32x4(even01, even23, 0x88);
            m[4 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
            m[8 + c] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
            m[12 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
        });
    }

    static void narrow(Sums a, Sums b, Sums c, Sums d, std::uint8_t* out) noexcept {
        _mm512_storeu_si512(
            out, _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
    }
    static void narrow(Sums a, Sums b, std::uint8_t* out) noexcept {
        const __m512i words = _mm512_max_epi16(_mm512_packs_epi32(a, b), _mm512_setzero_si512());
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtusepi16_epi8(words));
    }
    static void narrow(Sums a, std::uint8_t* out) noexcept {
        const __m512i positive = _mm512_max_epi32(a, _mm512_setzero_si512());
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtusepi32_epi8(positive));
    }
    static void narrow(Sums a, Sums b, std::int16_t* out) noexcept {
        const __m512i words = _mm512_packs_epi32(a, b);
        const __m512i limited = _mm512_min_epi16(_mm512_max_epi16(words, _mm512_setzero_si512()),
                                                 _mm512_set1_epi16(255));
        _mm512_storeu_si512(out, limited);
    }
    static void narrow(Sums a, std::int16_t* out) noexcept {
        const __m512i limited =
            _mm512_min_epi32(_mm512_max_epi32(a, _mm512_setzero_si512()), _mm512_set1_epi32(255));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi32_epi16(limited));
    }

private:
    // The lower or upper pairs of each quarter of a, then b.
    template <int Upper>
    LPRNET_INLINE static __m512 pairs(__m512 a, __m512 b) noexcept {
        const __m512d p = _mm512_castps_pd(a), q = _mm512_castps_pd(b);
        return _mm512_castpd_ps(Upper == 0 ? _mm512_unpacklo_pd(p, q) : _mm512_unpackhi_pd(p, q));
    }
};

}  // namespace

struct Avx512Kernels {
    using Level = std::int16_t;
#define LPRNET_DECLARE_f32(declaration) declaration
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

}  // namespace lprnet::kernels
