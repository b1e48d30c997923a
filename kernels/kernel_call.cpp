#include "kernels/kernel_call.h"

#include "kernels/kernel_arguments.h"

namespace lprnet::kernels {

namespace {

// visit(arguments) for the arguments' own type; nothing for a call of none.
template <class Visit>
void visit_arguments(KernelCall& call, Visit visit) noexcept {
    switch (call.kernel()) {
        case Kernel::none: break;
#define LPRNET_KERNEL(folder, name, Call, elements) \
    case Kernel::name:                              \
        visit(*arguments_as<Call>(call));           \
        break;
#include "kernels/kernels.inc"
    }
}

}  // namespace

const char* kernel_name(Kernel kernel) noexcept {
    static constexpr const char* kNames[] = {
        "none",
#define LPRNET_KERNEL(folder, name, Call, elements) #name,
#include "kernels/kernels.inc"
    };
    return kNames[static_cast<std::size_t>(kernel)];
}

void bind(KernelCall& call, std::byte* arena) noexcept {
    visit_arguments(call, [&](auto& a) {
        each_memory(a, [&]<class T>(Memory memory, T*& pointer) {
            pointer = reinterpret_cast<T*>(arena + call.at(memory));
        });
    });
}

bool narrow(KernelCall& call, const Part& part, const KernelTable& table) noexcept {
    bool any = false;
    visit_arguments(call, [&](auto& a) { any = narrow(a, part, table); });
    return any;
}

namespace {

void run_as_bound(const KernelTable& table, const KernelCall& call) noexcept {
    switch (call.kernel()) {
        case Kernel::none: break;
#define LPRNET_KERNEL(folder, name, Call, elements) \
    case Kernel::name:                              \
        table.name(*arguments_as<Call>(call));      \
        break;
#include "kernels/kernels.inc"
    }
}

}  // namespace

void run(const KernelTable& table, const KernelCall& call, int worker) noexcept {
    if (worker == 0 || call.scratch_bytes == 0) return run_as_bound(table, call);
    KernelCall own = call;
    const std::size_t bytes = static_cast<std::size_t>(worker) * call.scratch_bytes;
    visit_arguments(own, [&](auto& a) {
        each_memory(a, [&]<class T>(Memory memory, T*& pointer) {
            if (memory != Memory::scratch) return;
            pointer = reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(pointer) + bytes);
        });
    });
    run_as_bound(table, own);
}

}  // namespace lprnet::kernels
