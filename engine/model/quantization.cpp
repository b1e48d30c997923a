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

Node levels_node(const Shape& input) {
    Node levels;
    levels.op = Op::quantize;
    levels.name = "levels";
    levels.inputs = {0};
    levels.shape = input;
    return levels;
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
