// Where every tensor of a graph lies in one arena.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/plan.h"

namespace lprnet {

// A tensor and the nodes between which it must stay intact.
struct Placement {
    Tensor tensor;
    int first = 0;
    int last = 0;
    int host = -1;                // the concatenation that this tensor is a part of
    std::size_t host_offset = 0;  // channels before it there
};

// Rounds bytes up to whole cache lines.
std::size_t align_up(std::size_t bytes) noexcept;

// One placement for each node, with the borders that its readers need; not yet placed.
std::vector<Placement> tensors_of(const Graph& graph);

// Gives every tensor its place: largest first, each at the lowest offset that no tensor alive
// at the same time occupies. Returns the arena's size in floats.
std::size_t place_tensors(std::vector<Placement>& placements);

}  // namespace lprnet
