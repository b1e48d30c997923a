// AVX2 with the byte dot products of AVX-VNNI.
#pragma once

#include "kernels/isa/avx2-inl.h"

namespace lprnet::kernels {

struct AvxVnniKernels : Avx2Kernels {
    using Base = Avx2Kernels;
    using Level = std::uint8_t;
#define LPRNET_DECLARE_f32(declaration)
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

using OwnKernels = AvxVnniKernels;

namespace {

struct Isa : Avx2 {
    using Level = OwnKernels::Level;
    static constexpr int level_offset = 0;
    // GCC 12 copies the sums around the intrinsic, which halves the rate. Assembler cannot.
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.data) : "x"(x.data), "x"(w.data));
        return sum;
    }
};

}  // namespace
}  // namespace lprnet::kernels
