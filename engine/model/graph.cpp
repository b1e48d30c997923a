#include "engine/model/graph.h"

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
        case Op::context_tap: return "context_tap";
    }
    return "unknown";
}

std::int64_t multiply_accumulates(const Graph& graph, const Node& node) noexcept {
    if (node.op != Op::conv2d) return 0;
    const Shape& in = graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape;
    return static_cast<std::int64_t>(node.shape.h) * node.shape.w * node.shape.c * in.c * node.kh *
           node.kw;
}

void weight_as_run(const Node& conv, std::vector<float>& out) {
    const std::size_t oc = conv.bias.size();
    const std::size_t per_channel = conv.weight.size() / oc;
    const std::size_t taps = static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    const std::size_t ic = per_channel / taps;
    const auto source = [](const std::vector<int>& order, std::size_t i) {
        return order.empty() ? i : static_cast<std::size_t>(order[i]);
    };
    out.resize(conv.weight.size());
    float* next = out.data();
    for (std::size_t o = 0; o < oc; ++o) {
        const std::size_t from = source(conv.channel_order, o);
        const double scale = conv.scale.empty() ? 1.0 : conv.scale[from];
        for (std::size_t i = 0; i < ic; ++i) {
            const float* in =
                conv.weight.data() + from * per_channel + source(conv.input_order, i) * taps;
            for (std::size_t t = 0; t < taps; ++t) {
                *next++ = static_cast<float>(static_cast<double>(in[t]) * scale);
            }
        }
    }
}

}  // namespace lprnet
