// What the instruction sets with 512-bit vectors have in common.
#pragma once

#include <cstdint>

#include "kernels/table-inl.h"

namespace lprnet::kernels {
namespace {

struct Avx512 {
    using arch = xsimd::avx512bw;
    using Batch = xsimd::batch<float, arch>;
    using Sums = xsimd::batch<std::int32_t, arch>;
    // 24 accumulators, 2 weights and 1 activation: 27 of 32 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 12;
    // Four fill a cache line when they are narrowed to bytes.
    static constexpr int quantized_vectors = 4;
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return _mm512_fmadd_ps(a, b, c); }

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
};

}  // namespace
}  // namespace lprnet::kernels
