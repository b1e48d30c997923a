// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/conv2d_levels_f32/conv2d_levels_f32-inl.h"

namespace lprnet::kernels {

void OwnKernels::conv2d_levels_f32(const Conv2dLevelsF32& call) noexcept {
    lprnet::kernels::conv2d_levels_f32<Isa>(call);
}

}  // namespace lprnet::kernels
