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
    return in_order(std::move(graph), order);
}

}  // namespace lprnet
