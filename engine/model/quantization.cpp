#include "engine/model/quantization.h"

#include <cstddef>
#include <utility>

namespace lprnet {

Floats real_weights(const Node& conv) {
    const std::size_t per_channel = conv.quantized_weight.size() / conv.weight_scale.size();
    std::vector<float> weight(conv.quantized_weight.size());
    for (std::size_t i = 0; i < weight.size(); ++i) {
        weight[i] = static_cast<float>(
            real_weight(conv.quantized_weight[i], conv.weight_scale[i / per_channel]));
    }
    return Floats(std::move(weight));
}

Node levels_node(const Node& source, int index) {
    Node levels;
    levels.op = Op::quantize;
    levels.name = index == 0 ? "levels" : source.name + ".levels";
    levels.inputs = {index};
    levels.shape = source.shape;
    return levels;
}

namespace {

Node real_values_node(const Node& source, int index) {
    Node values;
    values.op = Op::dequantize;
    values.name = source.name + ".values";
    values.inputs = {index};
    values.shape = source.shape;
    return values;
}

// Whether the output of `node` has levels: through pools and ReLUs that of a convolution.
bool makes_levels(const std::vector<Node>& nodes, const Node& node) {
    const Node* source = &node;
    while (source->op == Op::max_pool || source->op == Op::relu) {
        source = &nodes[static_cast<std::size_t>(source->inputs.front())];
    }
    return source->op == Op::conv2d && !source->linear;
}

}  // namespace

Graph with_levels(Graph graph) {
    std::vector<Node> nodes;
    std::vector<int> moved;  // by node before
    for (Node& node : graph.nodes) {
        for (int& input : node.inputs) input = moved[static_cast<std::size_t>(input)];
        if (node.op == Op::conv2d) {
            const int index = node.inputs.front();
            const Node& source = nodes[static_cast<std::size_t>(index)];
            const bool pixels = source.op == Op::input || source.op == Op::affine_sample;
            if (node.linear ? makes_levels(nodes, source) : pixels) {
                nodes.push_back(node.linear ? real_values_node(source, index)
                                            : levels_node(source, index));
                node.inputs.front() = static_cast<int>(nodes.size()) - 1;
            }
        }
        moved.push_back(static_cast<int>(nodes.size()));
        nodes.push_back(std::move(node));
    }
    graph.nodes = std::move(nodes);
    return graph;
}

void set_levels(const Preprocess& preprocess, Node& levels) {
    for (int c = 0; c < channels(preprocess.order); ++c) {
        levels.level_factor.push_back(1.0f / preprocess.scale[c]);
        levels.level_offset.push_back(preprocess.mean[c]);
    }
}

ReadLevels levels_read_by(const Graph& graph, const Node& conv) {
    const auto source_of = [&](const Node& node) {
        return &graph.nodes[static_cast<std::size_t>(node.inputs.front())];
    };
    std::size_t stride = 1;
    const Node* source = source_of(conv);
    while (source->op == Op::max_pool || source->op == Op::relu) {
        if (source->op == Op::max_pool) stride *= static_cast<std::size_t>(source->channel_stride);
        source = source_of(*source);
    }
    ReadLevels levels;
    if (source->quantized()) levels.scale = static_cast<double>(source->output_scale);
    for (std::size_t c = 0; c < source->output_factor.size(); c += stride) {
        levels.factor.push_back(source->output_factor[c]);
    }
    return levels;
}

}  // namespace lprnet
