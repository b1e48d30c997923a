#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {

Graph fuse_relu(Graph graph) {
    int last = node_count(graph) - 1;
    for (int i = 0; i < node_count(graph); ++i) {
        const Node& relu = node_at(graph, i);
        if (relu.op != Op::relu) continue;
        const int source = only_input(relu);
        if (is_private(graph, source, Op::max_pool)) {
            // The largest of what is above zero is what is above zero of the largest.
            const int conv = only_input(node_at(graph, source));
            if (!is_private(graph, conv, Op::conv2d)) continue;
            node_at(graph, conv).relu = true;
            node_at(graph, conv).name += ".relu";  // no module's output
        } else if (is_private(graph, source, Op::conv2d)) {
            node_at(graph, source).relu = true;
        } else {
            continue;
        }
        node_at(graph, source).name = relu.name;
        redirect(graph, i, source);
        if (i == last) last = source;
    }
    return remove_dead_nodes(std::move(graph), last);
}

}  // namespace lprnet
