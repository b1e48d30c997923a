// One call of any kernel: which, its arguments, and where in an arena they lie. The only file that
// knows the arguments of all kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "kernels/kernel_table.h"
#include "kernels/part.h"

#define LPRNET_KERNEL_HEADERS
#include "kernels/kernels.inc"
#undef LPRNET_KERNEL_HEADERS

namespace lprnet::kernels {

enum class Kernel : std::uint8_t {
    none,
#define LPRNET_KERNEL(folder, name, Call, elements) name,
#include "kernels/kernels.inc"
};

// "conv2d_f32" and so on; "none".
const char* kernel_name(Kernel kernel) noexcept;

// The alternative's number is the Kernel; two kernels may have the same type of arguments.
using Arguments = std::variant<std::monostate
#define LPRNET_KERNEL(folder, name, Call, elements) , Call
#include "kernels/kernels.inc"
                               >;

template <Kernel K>
using CallOf = std::variant_alternative_t<static_cast<std::size_t>(K), Arguments>;

// Pointers into the arena are null until the call is bound; pointers to weights are final.
struct KernelCall {
    Arguments arguments;
    std::array<std::size_t, kMemories> offset = {};  // in the arena, in bytes, by Memory
    std::size_t scratch_bytes = 0;                   // of each worker, one after the other

    Kernel kernel() const noexcept { return static_cast<Kernel>(arguments.index()); }
    std::size_t& at(Memory memory) noexcept { return offset[static_cast<std::size_t>(memory)]; }
};

template <Kernel K>
void set_arguments(KernelCall& call, const CallOf<K>& arguments) noexcept {
    call.arguments.template emplace<static_cast<std::size_t>(K)>(arguments);
}

// Lets the call work on `arena`, with the scratch memory of worker 0.
void bind(KernelCall& call, std::byte* arena) noexcept;

// Narrows a bound call to a part of it; false if nothing is left. No part writes what another reads
// or writes, and all parts together write what the whole call does.
bool narrow(KernelCall& call, const Part& part, const KernelTable& table) noexcept;

// A bound call, with the scratch memory of `worker`. Thread-safe for calls whose memory does not
// overlap, with a worker for each thread.
void run(const KernelTable& table, const KernelCall& call, int worker = 0) noexcept;

}  // namespace lprnet::kernels
