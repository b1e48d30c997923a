// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/context_f32/context_f32-inl.h"

namespace lprnet::kernels {

void OwnKernels::context_tap_f32(const ContextTapF32& call) noexcept {
    lprnet::kernels::context_tap_f32<Isa>(call);
}

void OwnKernels::context_scale_f32(const ContextScaleF32& call) noexcept {
    lprnet::kernels::context_scale_f32<Isa>(call);
}

}  // namespace lprnet::kernels
