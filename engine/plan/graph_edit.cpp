#include "engine/plan/graph_edit.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lprnet {

bool reads(const Node& node, int index) {
    return std::find(node.inputs.begin(), node.inputs.end(), index) != node.inputs.end();
}

int use_count(const Graph& graph, int index) {
    int uses = 0;
    for (const Node& node : graph.nodes) {
        uses += static_cast<int>(std::count(node.inputs.begin(), node.inputs.end(), index));
    }
    return uses;
}

bool is_private(const Graph& graph, int index, Op op) {
    return node_at(graph, index).op == op && use_count(graph, index) == 1;
}

void redirect(Graph& graph, int from, int to) {
    for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
}

Graph remove_dead_nodes(Graph graph, int last) {
    std::vector<bool> live(graph.nodes.size(), false);
    live.front() = true;
    live[static_cast<std::size_t>(last)] = true;
    for (int i = last; i > 0; --i) {
        if (!live[static_cast<std::size_t>(i)]) continue;
        for (const int input : node_at(graph, i).inputs)
            live[static_cast<std::size_t>(input)] = true;
    }
    Graph kept;
    std::vector<int> renumbered(graph.nodes.size(), -1);
    for (int i = 0; i <= last; ++i) {
        if (!live[static_cast<std::size_t>(i)]) continue;
        renumbered[static_cast<std::size_t>(i)] = node_count(kept);
        Node node = std::move(node_at(graph, i));
        for (int& input : node.inputs) input = renumbered[static_cast<std::size_t>(input)];
        kept.nodes.push_back(std::move(node));
    }
    return kept;
}

}  // namespace lprnet
