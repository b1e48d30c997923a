#include <utility>
#include <vector>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {

Graph schedule_taps(Graph graph) {
    std::vector<int> order;
    for (int i = 0; i < node_count(graph); ++i) {
        if (node_at(graph, i).op == Op::context_tap) continue;
        order.push_back(i);
        for (int tap = i + 1; tap < node_count(graph); ++tap) {
            const Node& node = node_at(graph, tap);
            if (node.op == Op::context_tap && only_input(node) == i) order.push_back(tap);
        }
    }
    std::vector<int> renumbered(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        renumbered[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    }
    Graph scheduled;
    for (const int i : order) {
        Node node = std::move(node_at(graph, i));
        for (int& input : node.inputs) input = renumbered[static_cast<std::size_t>(input)];
        scheduled.nodes.push_back(std::move(node));
    }
    return scheduled;
}

}  // namespace lprnet
