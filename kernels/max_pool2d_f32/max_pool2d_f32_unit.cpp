// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/max_pool2d/max_pool2d-inl.h"
#include "kernels/max_pool2d_f32/max_pool2d_f32.h"

namespace lprnet::kernels {

void OwnKernels::max_pool2d_f32(const MaxPool2dF32& call) noexcept {
    max_pool2d_call<Isa, float>(call);
}

}  // namespace lprnet::kernels
