// AVX-512 with the byte dot products of VNNI.
#pragma once

#include "kernels/isa/avx512-inl.h"

namespace lprnet::kernels {

struct Avx512VnniKernels : Avx512Kernels {
    using Base = Avx512Kernels;
    using Level = std::uint8_t;
#define LPRNET_DECLARE_f32(declaration)
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

using OwnKernels = Avx512VnniKernels;

namespace {

struct Isa : Avx512 {
    using Level = OwnKernels::Level;
    static constexpr int level_offset = 0;
    // GCC 12 copies the sums around the intrinsic, which halves the rate. Assembler cannot.
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        asm("vpdpbusd %2, %1, %0" : "+v"(sum.data) : "v"(x.data), "v"(w.data));
        return sum;
    }
};

}  // namespace
}  // namespace lprnet::kernels
