// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/max_pool2d/max_pool2d-inl.h"
#include "kernels/max_pool2d_levels/max_pool2d_levels.h"

namespace lprnet::kernels {

void OwnKernels::max_pool2d_levels(const MaxPool2dLevels& call) noexcept {
    max_pool2d_call<Isa, Isa::Level>(call);
}

}  // namespace lprnet::kernels
