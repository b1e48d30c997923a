#include "kernels/kernel_call.h"

#include <type_traits>

namespace lprnet::kernels {

const char* kernel_name(Kernel kernel) noexcept {
    static constexpr const char* kNames[] = {
        "none",
#define LPRNET_KERNEL(folder, name, Call, elements) #name,
#include "kernels/kernels.inc"
    };
    return kNames[static_cast<std::size_t>(kernel)];
}

void bind(KernelCall& call, std::byte* arena) noexcept {
    std::visit(
        [&]<class Call>(Call& a) {
            if constexpr (!std::is_same_v<Call, std::monostate>) {
                each_memory(a, [&]<class T>(Memory memory, T*& pointer) {
                    pointer = reinterpret_cast<T*>(arena + call.at(memory));
                });
            }
        },
        call.arguments);
}

bool narrow(KernelCall& call, const Part& part, const KernelTable& table) noexcept {
    return std::visit(
        [&]<class Call>(Call& a) {
            if constexpr (std::is_same_v<Call, std::monostate>) {
                return false;
            } else {
                return narrow(a, part, table);
            }
        },
        call.arguments);
}

namespace {

void run_as_bound(const KernelTable& table, const KernelCall& call) noexcept {
    switch (call.kernel()) {
        case Kernel::none: break;
#define LPRNET_KERNEL(folder, name, Call, elements)                                        \
    case Kernel::name:                                                                     \
        table.name(*std::get_if<static_cast<std::size_t>(Kernel::name)>(&call.arguments)); \
        break;
#include "kernels/kernels.inc"
    }
}

}  // namespace

void run(const KernelTable& table, const KernelCall& call, int worker) noexcept {
    if (worker == 0 || call.scratch_bytes == 0) return run_as_bound(table, call);
    KernelCall own = call;
    const std::size_t bytes = static_cast<std::size_t>(worker) * call.scratch_bytes;
    std::visit(
        [&]<class Call>(Call& a) {
            if constexpr (!std::is_same_v<Call, std::monostate>) {
                each_memory(a, [&]<class T>(Memory memory, T*& pointer) {
                    if (memory != Memory::scratch) return;
                    pointer =
                        reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(pointer) + bytes);
                });
            }
        },
        own.arguments);
    run_as_bound(table, own);
}

}  // namespace lprnet::kernels
