// How kernel calls are divided among threads, and the memory that they work on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lprnet::kernels {

struct KernelTable;

// Part `index` of `count` nearly equal ones.
struct Part {
    int index = 0;
    int count = 1;
};

// What a call reads and writes that is not its own for ever, as weights are.
enum class Memory : std::uint8_t { input, theta, output, squares, scratch };
inline constexpr std::size_t kMemories = 5;

}  // namespace lprnet::kernels
