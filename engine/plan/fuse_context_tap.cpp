#include <utility>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {

Graph fuse_context_tap(Graph graph) {
    for (Node& mean : graph.nodes) {
        if (mean.op != Op::mean_height) continue;
        const int normalize = only_input(mean);
        if (!is_private(graph, normalize, Op::normalize)) continue;
        const int pool = only_input(node_at(graph, normalize));
        mean.op = Op::context_tap;
        mean.name = node_at(graph, normalize).name;
        mean.inputs = {pool};
        if (node_at(graph, pool).op == Op::average_pool) {
            mean.window = node_at(graph, pool).window;
            mean.stride = node_at(graph, pool).stride;
            mean.inputs = node_at(graph, pool).inputs;
        }
    }
    const int last = node_count(graph) - 1;
    return remove_dead_nodes(std::move(graph), last);
}

}  // namespace lprnet
