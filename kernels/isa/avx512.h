// AVX-512 F, DQ, BW, VL: 512-bit vectors.
#pragma once

#include "kernels/isa/avx512-inl.h"

namespace lprnet::kernels {

using OwnKernels = Avx512Kernels;

namespace {

// vpmaddubsw would saturate sums of two products; two-byte elements cannot.
struct Isa : Avx512 {
    using Level = OwnKernels::Level;
    static constexpr int level_vectors = 2;
    static constexpr int level_offset = 0;
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        return _mm512_add_epi32(sum, _mm512_madd_epi16(x, w));
    }
};

}  // namespace
}  // namespace lprnet::kernels
