// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/peak_s8/peak_s8-inl.h"

namespace lprnet::kernels {

void OwnKernels::peak_s8(const PeakS8& call) noexcept {
    lprnet::kernels::peak_s8<Isa>(call);
}

}  // namespace lprnet::kernels
