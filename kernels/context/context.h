// What the context of float32 and of levels have in common.
#pragma once

namespace lprnet::kernels {

// Branches of a joined context.
inline constexpr int kMaxContextBranches = 8;

}  // namespace lprnet::kernels
