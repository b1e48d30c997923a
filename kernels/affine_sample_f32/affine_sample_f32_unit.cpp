// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/affine_sample_f32/affine_sample_f32-inl.h"

namespace lprnet::kernels {

void OwnKernels::affine_sample_f32(const AffineSampleF32& call) noexcept {
    lprnet::kernels::affine_sample_f32<Isa>(call);
}

}  // namespace lprnet::kernels
