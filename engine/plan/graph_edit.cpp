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

Arrival find_arrival(const Graph& graph, int tap) {
    if (use_count(graph, tap) != 1) return {};
    for (int i = tap + 1; i < node_count(graph); ++i) {
        const Node& concat = node_at(graph, i);
        if (!reads(concat, tap)) continue;
        if (concat.op != Op::concat || use_count(graph, i) != 1) return {};
        int first = 0;
        for (const int input : concat.inputs) {
            if (input == tap) break;
            first += node_at(graph, input).shape.c;
        }
        for (int j = i + 1; j < node_count(graph); ++j) {
            const Node& conv = node_at(graph, j);
            if (!reads(conv, i)) continue;
            const bool pointwise =
                conv.kh == 1 && conv.kw == 1 && conv.pad_h == 0 && conv.pad_w == 0;
            return conv.op == Op::conv2d && pointwise ? Arrival{j, first} : Arrival();
        }
    }
    return {};
}

Graph in_order(Graph graph, const std::vector<int>& order) {
    std::vector<int> renumbered(graph.nodes.size(), -1);
    for (std::size_t i = 0; i < order.size(); ++i) {
        renumbered[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    }
    Graph ordered = without_nodes(graph);
    for (const int i : order) {
        Node node = std::move(node_at(graph, i));
        for (int& input : node.inputs) input = renumbered[static_cast<std::size_t>(input)];
        ordered.nodes.push_back(std::move(node));
    }
    return ordered;
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
    std::vector<int> kept;
    for (int i = 0; i <= last; ++i) {
        if (live[static_cast<std::size_t>(i)]) kept.push_back(i);
    }
    return in_order(std::move(graph), kept);
}

}  // namespace lprnet
