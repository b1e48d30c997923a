// Which kernel tables this build holds and which of them this processor can run.
#pragma once

#include <span>
#include <string_view>

#include "kernels/cpu_features.h"
#include "kernels/kernel_table.h"

namespace lprnet::kernels {

struct IsaEntry {
    const KernelTable* table;
    bool (*supported)(const CpuFeatures&) noexcept;
};

// Every table of the build, from the most general to the most special; the first
// is "reference", which runs everywhere.
std::span<const IsaEntry> all_isas() noexcept;

// The last table of all_isas() that the processor supports.
const KernelTable& best_table(const CpuFeatures& cpu) noexcept;

// The table of that name, or nullptr if the build has none.
const IsaEntry* find_isa(std::string_view name) noexcept;

}  // namespace lprnet::kernels
