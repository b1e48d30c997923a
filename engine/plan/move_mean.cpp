#include <utility>
#include <vector>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {
namespace {

bool is_pointwise(const Node& conv) {
    return conv.kh == 1 && conv.kw == 1 && conv.pad_h == 0 && conv.pad_w == 0 && !conv.relu;
}

}  // namespace

Graph move_mean(Graph graph) {
    const int mean = node_count(graph) - 1;
    if (node_at(graph, mean).op != Op::mean_height) return graph;
    const int conv = only_input(node_at(graph, mean));
    if (!is_private(graph, conv, Op::conv2d) || !is_pointwise(node_at(graph, conv))) return graph;
    const int concat = only_input(node_at(graph, conv));
    if (!is_private(graph, concat, Op::concat)) return graph;

    Graph moved = without_nodes(graph);
    for (int i = 0; i < concat; ++i) moved.nodes.push_back(std::move(node_at(graph, i)));
    Node joined = std::move(node_at(graph, concat));
    for (int& branch : joined.inputs) {
        Node branch_mean;
        branch_mean.op = Op::mean_height;
        branch_mean.name = node_at(moved, branch).name + ".mean";
        branch_mean.inputs = {branch};
        branch_mean.shape = node_at(moved, branch).shape;
        branch_mean.shape.h = 1;
        branch = node_count(moved);
        moved.nodes.push_back(std::move(branch_mean));
    }
    joined.shape.h = 1;
    moved.nodes.push_back(std::move(joined));
    Node logits = std::move(node_at(graph, conv));
    logits.name = node_at(graph, mean).name;
    logits.inputs = {node_count(moved) - 1};
    logits.shape.h = 1;
    moved.nodes.push_back(std::move(logits));
    return moved;
}

}  // namespace lprnet
