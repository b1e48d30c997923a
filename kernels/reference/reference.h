// The scalar oracle: every kernel as plain loops over its formula, summing in double or, for
// levels, in integers. Slow on purpose; all other tables are tested against it. Each
// FOLDER_reference.cpp defines its own.
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"

namespace lprnet::kernels {

// How the reference stores a level.
using Level = std::int32_t;

struct ReferenceKernels {
#define LPRNET_DECLARE_f32(declaration) declaration
#define LPRNET_DECLARE_levels(declaration) declaration
#include "kernels/declare_kernels.inc"
};

}  // namespace lprnet::kernels
