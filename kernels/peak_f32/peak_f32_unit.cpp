// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/peak_f32/peak_f32-inl.h"

namespace lprnet::kernels {

void OwnKernels::peak_f32(const PeakF32& call) noexcept {
    lprnet::kernels::peak_f32<Isa>(call);
}

}  // namespace lprnet::kernels
