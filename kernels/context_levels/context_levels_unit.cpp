// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/context_levels/context_levels-inl.h"

namespace lprnet::kernels {

void OwnKernels::context_tap_levels(const ContextTapLevels& call) noexcept {
    lprnet::kernels::context_tap_levels<Isa::Level>(call);
}

void OwnKernels::context_scale_levels(const ContextScaleLevels& call) noexcept {
    lprnet::kernels::context_scale_levels(call);
}

}  // namespace lprnet::kernels
