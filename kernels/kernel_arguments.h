// The arguments of a KernelCall, typed: for whoever makes calls. The only header that knows the
// structs of all kernels.
#pragma once

#include <new>
#include <type_traits>

#include "kernels/kernel_call.h"

#define LPRNET_KERNEL_HEADERS
#include "kernels/kernels.inc"
#undef LPRNET_KERNEL_HEADERS

namespace lprnet::kernels {

template <Kernel K>
struct ArgumentsOf;
#define LPRNET_KERNEL(folder, name, Call, elements)                                          \
    template <>                                                                              \
    struct ArgumentsOf<Kernel::name> {                                                       \
        using type = Call;                                                                   \
        static_assert(sizeof(Call) <= kMostArguments && std::is_trivially_copyable_v<Call>); \
    };
#include "kernels/kernels.inc"

template <Kernel K>
using CallOf = typename ArgumentsOf<K>::type;

// For who has asked kernel().
template <class Call>
Call* arguments_as(KernelCall& call) noexcept {
    return std::launder(static_cast<Call*>(call.arguments()));
}
template <class Call>
const Call* arguments_as(const KernelCall& call) noexcept {
    return std::launder(static_cast<const Call*>(call.arguments()));
}

template <Kernel K>
void set_arguments(KernelCall& call, const CallOf<K>& arguments) noexcept {
    call.set(K, &arguments, sizeof arguments);
}

// Null if the call is one of another kernel.
template <Kernel K>
const CallOf<K>* arguments_if(const KernelCall& call) noexcept {
    return call.kernel() == K ? arguments_as<CallOf<K>>(call) : nullptr;
}

}  // namespace lprnet::kernels
