#include "kernels/dispatch.h"

namespace lprnet::kernels {

// isa_list.inc is written by lprnet_add_isa() in CMakeLists.txt, one row per
// instruction set: LPRNET_ISA(name, condition on `cpu`).
extern const KernelTable table_reference;
#define LPRNET_ISA(name, condition) extern const KernelTable table_##name;
#include "isa_list.inc"
#undef LPRNET_ISA

namespace {

constexpr IsaEntry kIsas[] = {
    {&table_reference, [](const CpuFeatures&) noexcept { return true; }},
#define LPRNET_ISA(name, condition) \
    {&table_##name, []([[maybe_unused]] const CpuFeatures& cpu) noexcept { return condition; }},
#include "isa_list.inc"
#undef LPRNET_ISA
};

}  // namespace

std::span<const IsaEntry> all_isas() noexcept {
    return kIsas;
}

const KernelTable& best_table(const CpuFeatures& cpu) noexcept {
    const IsaEntry* best = &kIsas[0];
    for (const IsaEntry& entry : kIsas) {
        if (entry.supported(cpu)) best = &entry;
    }
    return *best->table;
}

const IsaEntry* find_isa(std::string_view name) noexcept {
    for (const IsaEntry& entry : kIsas) {
        if (name == entry.table->name) return &entry;
    }
    return nullptr;
}

}  // namespace lprnet::kernels
