#include <cmath>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {
namespace {

// torch.nn.BatchNorm2d's default.
constexpr double kEpsilon = 1e-5;

void fold(const Node& norm, Node& conv) {
    const std::size_t oc = conv.bias.size();
    conv.gain.resize(oc, 1.0);
    for (std::size_t o = 0; o < oc; ++o) {
        const double gain = static_cast<double>(norm.weight[o]) /
                            std::sqrt(static_cast<double>(norm.running_var[o]) + kEpsilon);
        conv.gain[o] *= gain;
        conv.bias[o] = static_cast<float>(
            (static_cast<double>(conv.bias[o]) - static_cast<double>(norm.running_mean[o])) * gain +
            static_cast<double>(norm.bias[o]));
    }
    conv.name = norm.name;
}

}  // namespace

Graph fold_batch_norm(Graph graph) {
    int last = node_count(graph) - 1;
    for (int i = 0; i < node_count(graph); ++i) {
        const Node& norm = node_at(graph, i);
        if (norm.op != Op::batch_norm) continue;
        const int conv = only_input(norm);
        if (!is_private(graph, conv, Op::conv2d) || node_at(graph, conv).relu) continue;
        fold(norm, node_at(graph, conv));
        redirect(graph, i, conv);
        if (i == last) last = conv;
    }
    return remove_dead_nodes(std::move(graph), last);
}

}  // namespace lprnet
