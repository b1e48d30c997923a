// One kernel call divided among threads.
#pragma once

#include <vector>

#include "engine/plan/plan.h"

namespace lprnet {

// At most `threads` calls that together do what `call` does: convolutions and pools by rows
// or pixels, Winograd by tiles, sparse convolutions by vectors of pixels, or blocks if there are
// panels, taps by groups of channels, the scaling by columns.
// Every output is computed by the same sequence of operations as without the division.
std::vector<KernelCall> split_call(const KernelCall& call, int threads,
                                   const kernels::KernelTable& table);

// How many calls a context_tap_levels over so many channels is divided into; each leaves a sum.
int context_tap_levels_parts(int channels, int threads) noexcept;

}  // namespace lprnet
