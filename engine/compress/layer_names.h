// What people call the convolutions of a network. Each has two names, and every verb takes both.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "lprnet/error.h"

namespace lprnet {

struct LayerName {
    std::string stored;    // PyTorch module path of its weights: that in the file
    std::string computed;  // of the module whose output it computes: that in reports
};

// By Node::layer, of a graph as build_network() makes it. May throw std::bad_alloc.
std::vector<LayerName> layer_names(const Graph& graph);

// The layer with that name of either kind; `invalid_argument`, which tells all names, if there is
// none. May throw std::bad_alloc.
Result<std::size_t> find_layer(const std::vector<LayerName>& names, const std::string& name);

}  // namespace lprnet
