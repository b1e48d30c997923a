// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/conv2d_s8/conv2d_s8-inl.h"

namespace lprnet::kernels {

void OwnKernels::conv2d_s8(const Conv2dS8& call) noexcept {
    lprnet::kernels::conv2d_s8<Isa>(call);
}

}  // namespace lprnet::kernels
