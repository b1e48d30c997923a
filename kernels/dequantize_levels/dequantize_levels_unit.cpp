// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/dequantize_levels/dequantize_levels-inl.h"

namespace lprnet::kernels {

void OwnKernels::dequantize_levels(const DequantizeLevels& call) noexcept {
    lprnet::kernels::dequantize_levels<Isa>(call);
}

}  // namespace lprnet::kernels
