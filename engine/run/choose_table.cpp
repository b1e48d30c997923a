#include "engine/run/choose_table.h"

#include <cstdlib>

#include "engine/plan/plan.h"

namespace lprnet {

Result<const kernels::KernelTable*> table_for(const std::string& isa) {
    if (!isa.empty()) return select_table(isa);
    const char* named = std::getenv("LPRNET_ISA");
    return select_table(named != nullptr ? named : "");
}

}  // namespace lprnet
