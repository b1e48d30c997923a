#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {

Graph fuse_relu(Graph graph) {
    int last = node_count(graph) - 1;
    for (int i = 0; i < node_count(graph); ++i) {
        const Node& relu = node_at(graph, i);
        if (relu.op != Op::relu) continue;
        const int conv = only_input(relu);
        if (!is_private(graph, conv, Op::conv2d)) continue;
        node_at(graph, conv).relu = true;
        node_at(graph, conv).name = relu.name;
        redirect(graph, i, conv);
        if (i == last) last = conv;
    }
    return remove_dead_nodes(std::move(graph), last);
}

}  // namespace lprnet
