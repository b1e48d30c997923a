#include <string>

#include "engine/plan/plan.h"
#include "engine/text/printable.h"
#include "kernels/dispatch.h"

namespace lprnet {

Result<const kernels::KernelTable*> select_table(const std::string& name) {
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    if (name.empty()) return &kernels::best_table(cpu);

    const kernels::IsaEntry* entry = kernels::find_isa(name);
    if (entry != nullptr && entry->supported(cpu)) return entry->table;
    std::string runnable;
    for (const kernels::IsaEntry& other : kernels::all_isas()) {
        if (other.supported(cpu))
            runnable += (runnable.empty() ? "" : ", ") + std::string(other.table->name);
    }
    return Error{ErrorCode::unsupported, "instruction set " + in_quotes(name) +
                                             (entry == nullptr ? " is unknown to this build"
                                                               : " is not offered by this CPU") +
                                             ", expected one of: " + runnable};
}

}  // namespace lprnet
