// The few edits that passes are made of.
#pragma once

#include <vector>

#include "engine/model/graph.h"

namespace lprnet {

inline Node& node_at(Graph& graph, int index) {
    return graph.nodes[static_cast<std::size_t>(index)];
}
inline const Node& node_at(const Graph& graph, int index) {
    return graph.nodes[static_cast<std::size_t>(index)];
}

inline int node_count(const Graph& graph) {
    return static_cast<int>(graph.nodes.size());
}

// All of a graph but its nodes, for a pass that moves them one by one.
inline Graph without_nodes(const Graph& graph) {
    return {
        .nodes = {}, .largest_pixel = graph.largest_pixel, .has_constants = graph.has_constants};
}

// Whether an input of `node` is the node of that index.
bool reads(const Node& node, int index);

// How many inputs of other nodes read node `index`.
int use_count(const Graph& graph, int index);

// Whoever reads `from` reads `to` instead.
void redirect(Graph& graph, int from, int to);

// Where a context_tap's channels arrive: the one 1x1 convolution, without padding, behind the one
// concatenation that reads it; conv is -1 if there is none.
struct Arrival {
    int conv = -1;
    int first_channel = 0;
};
Arrival find_arrival(const Graph& graph, int tap);

// The nodes that `order` lists, in that order; they read others among them alone.
Graph in_order(Graph graph, const std::vector<int>& order);

// Removes every node but the input that the last node does not depend on.
// `last` becomes the last node.
Graph remove_dead_nodes(Graph graph, int last);

// The index of the single input of `node`.
inline int only_input(const Node& node) {
    return node.inputs.front();
}

// True if node `index` is a `op` that nobody but one node reads.
bool is_private(const Graph& graph, int index, Op op);

}  // namespace lprnet
