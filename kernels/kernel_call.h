// One call of any kernel: which, its arguments, and where in an arena they lie. The arguments are
// bytes here; kernel_arguments.h knows the structs, so that a change of one concerns few files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/part.h"

namespace lprnet::kernels {

enum class Kernel : std::uint8_t {
    none,
#define LPRNET_KERNEL(folder, name, Call, elements) name,
#include "kernels/kernels.inc"
};

// "conv2d_f32" and so on; "none".
const char* kernel_name(Kernel kernel) noexcept;

// Bytes of the largest arguments that there is room for; kernel_arguments.h checks each struct.
inline constexpr std::size_t kMostArguments = 256;

// Pointers into the arena are null until the call is bound; pointers to weights are final.
class KernelCall {
public:
    Kernel kernel() const noexcept { return kernel_; }

    // Where the arguments' memory begins in the arena, in bytes.
    std::size_t& at(Memory memory) noexcept { return offset_[static_cast<std::size_t>(memory)]; }
    std::size_t scratch_bytes = 0;  // of each worker, one after the other

    // For kernel_arguments.h: of the type that belongs to kernel().
    void set(Kernel kernel, const void* arguments, std::size_t size) noexcept {
        kernel_ = kernel;
        std::memcpy(arguments_, arguments, size);
    }
    void* arguments() noexcept { return arguments_; }
    const void* arguments() const noexcept { return arguments_; }

private:
    alignas(std::max_align_t) std::byte arguments_[kMostArguments] = {};
    std::array<std::size_t, kMemories> offset_ = {};
    Kernel kernel_ = Kernel::none;
};

// Lets the call work on `arena`, with the scratch memory of worker 0.
void bind(KernelCall& call, std::byte* arena) noexcept;

// Narrows a bound call to a part of it; false if nothing is left. No part writes what another reads
// or writes, and all parts together write what the whole call does.
bool narrow(KernelCall& call, const Part& part, const KernelTable& table) noexcept;

// A bound call, with the scratch memory of `worker`. Thread-safe for calls whose memory does not
// overlap, with a worker for each thread.
void run(const KernelTable& table, const KernelCall& call, int worker = 0) noexcept;

}  // namespace lprnet::kernels
