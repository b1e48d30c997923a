// AVX2 with FMA: 256-bit vectors.
#pragma once

#include "kernels/isa/avx2-inl.h"

namespace lprnet::kernels {

using OwnKernels = Avx2Kernels;

namespace {

// vpmaddubsw would saturate sums of two products; two-byte elements cannot.
struct Isa : Avx2 {
    using Level = OwnKernels::Level;
    static constexpr int level_offset = 0;
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w));
    }
};

}  // namespace
}  // namespace lprnet::kernels
