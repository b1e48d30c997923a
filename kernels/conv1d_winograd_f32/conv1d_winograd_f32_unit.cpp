// Compiled once for each instruction set.
#include LPRNET_ISA_HEADER
#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32-inl.h"
#include "kernels/conv1d_winograd_f32/winograd_weights_f32-inl.h"

namespace lprnet::kernels {

void OwnKernels::conv1d_winograd_f32(const Conv1dWinogradF32& call) noexcept {
    lprnet::kernels::conv1d_winograd_f32<Isa>(call);
}

void OwnKernels::winograd_weights_f32(const WinogradWeightsF32& call) noexcept {
    lprnet::kernels::winograd_weights_f32<Isa>(call);
}

}  // namespace lprnet::kernels
