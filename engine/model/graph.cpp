#include "engine/model/graph.h"

#include <algorithm>

namespace lprnet {

const char* op_name(Op op) noexcept {
    switch (op) {
        case Op::input: return "input";
        case Op::conv2d: return "conv2d";
        case Op::batch_norm: return "batch_norm";
        case Op::relu: return "relu";
        case Op::max_pool: return "max_pool";
        case Op::average_pool: return "average_pool";
        case Op::normalize: return "normalize";
        case Op::concat: return "concat";
        case Op::mean_height: return "mean_height";
        case Op::affine_sample: return "affine_sample";
        case Op::context_tap: return "context_tap";
        case Op::quantize: return "quantize";
        case Op::dequantize: return "dequantize";
    }
    return "unknown";
}

bool Graph::quantized() const noexcept {
    return std::any_of(nodes.begin(), nodes.end(),
                       [](const Node& node) { return node.quantized(); });
}

bool Graph::stored_sparse() const noexcept {
    return std::any_of(nodes.begin(), nodes.end(),
                       [](const Node& node) { return node.stored_sparse; });
}

int layer_count(const Graph& graph) noexcept {
    int count = 0;
    for (const Node& node : graph.nodes) count = std::max(count, node.layer + 1);
    return count;
}

std::int64_t multiply_accumulates(const Graph& graph, const Node& node) noexcept {
    if (node.op != Op::conv2d) return 0;
    const Shape& in = graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape;
    return static_cast<std::int64_t>(node.shape.h) * node.shape.w * node.shape.c * in.c * node.kh *
           node.kw;
}

}  // namespace lprnet
