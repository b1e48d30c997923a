#include <cstdlib>
#include <string>

#include "engine/plan/plan.h"
#include "engine/text/printable.h"
#include "kernels/dispatch.h"

namespace lprnet {

Result<const kernels::KernelTable*> select_table(const std::string& name) {
    std::string wanted = name;
    if (wanted.empty()) {
        const char* forced = std::getenv("LPRNET_ISA");
        if (forced != nullptr) wanted = forced;
    }
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    if (wanted.empty()) return &kernels::best_table(cpu);

    const kernels::IsaEntry* entry = kernels::find_isa(wanted);
    if (entry != nullptr && entry->supported(cpu)) return entry->table;
    std::string runnable;
    for (const kernels::IsaEntry& other : kernels::all_isas()) {
        if (other.supported(cpu))
            runnable += (runnable.empty() ? "" : ", ") + std::string(other.table->name);
    }
    return Error{ErrorCode::unsupported, "instruction set " + in_quotes(wanted) +
                                             (entry == nullptr ? " is unknown to this build"
                                                               : " is not offered by this CPU") +
                                             ", expected one of: " + runnable};
}

}  // namespace lprnet
