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

void bind(KernelCall& call, std::byte* arena, int worker) noexcept {
    const auto address = [&](Memory memory) {
        std::byte* begin = arena + call.at(memory);
        if (memory == Memory::scratch) {
            begin += static_cast<std::size_t>(worker) * call.scratch_bytes;
        }
        return begin;
    };
    std::visit(
        [&]<class Call>(Call& a) {
            if constexpr (!std::is_same_v<Call, std::monostate>) {
                each_memory(a, [&]<class T>(Memory memory, T*& pointer) {
                    pointer = reinterpret_cast<T*>(address(memory));
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

void run(const KernelTable& table, const KernelCall& call) noexcept {
    switch (call.kernel()) {
        case Kernel::none: break;
#define LPRNET_KERNEL(folder, name, Call, elements)                                        \
    case Kernel::name:                                                                     \
        table.name(*std::get_if<static_cast<std::size_t>(Kernel::name)>(&call.arguments)); \
        break;
#include "kernels/kernels.inc"
    }
}

}  // namespace lprnet::kernels
