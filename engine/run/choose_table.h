// The instruction set that a user asked for: with an option, or else with the environment.
#pragma once

#include <string>

#include "kernels/kernel_table.h"
#include "lprnet/error.h"

namespace lprnet {

// select_table() of `isa`; if that is empty, of the environment variable LPRNET_ISA. For the
// program and for the option of recognizers: nothing else of the library looks at the environment.
Result<const kernels::KernelTable*> table_for(const std::string& isa);

}  // namespace lprnet
