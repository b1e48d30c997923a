// The tensors of a graph before they have a place.
#pragma once

#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/place_memory.h"
#include "engine/plan/tensor.h"

namespace lprnet {

// The output of each node: floats in NHWC, with the border that its readers need, or as a part of
// the concatenation that reads it.
std::vector<Tensor> tensors_of(const Graph& graph);

// The memory of each of them, and how long it is needed. Parts of a concatenation lie in it.
std::vector<Placement> placements_of(const Graph& graph, const std::vector<Tensor>& tensors);

}  // namespace lprnet
