// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/quantize_f32/quantize_f32-inl.h"

namespace lprnet::kernels {

void OwnKernels::quantize_f32(const QuantizeF32& call) noexcept {
    lprnet::kernels::quantize_f32<Isa>(call);
}

}  // namespace lprnet::kernels
