// Where pieces of memory lie in one arena.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/weight_layout.h"

namespace lprnet {

// Rounds bytes up to whole cache lines.
constexpr std::size_t align_up(std::size_t bytes) noexcept {
    constexpr std::size_t kLine = kernels::kWeightAlignment;
    return (bytes + kLine - 1) / kLine * kLine;
}

// A piece, and the steps between which it must stay intact, both included.
struct Placement {
    std::size_t bytes = 0;
    int first = 0;
    int last = 0;
    int host = -1;                // the piece that this one is a part of
    std::size_t host_offset = 0;  // bytes before it there
    std::size_t begin = 0;        // in the arena, in bytes: what place_memory() finds
};

// Gives every piece its place: largest first, each at the lowest offset that no piece alive
// at the same time occupies. Returns the arena's bytes.
std::size_t place_memory(std::vector<Placement>& placements);

}  // namespace lprnet
