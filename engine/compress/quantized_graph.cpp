#include "engine/compress/quantized_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {
namespace {

constexpr double kWeightSteps = 127.0;
constexpr double kActivationSteps = 255.0;
constexpr double kMaxBias = 1 << 30;  // in steps of its sum

// Node 1 becomes the one that makes levels of normalized pixels.
void insert_levels(const Preprocess& preprocess, Graph& graph) {
    for (Node& node : graph.nodes) {
        for (int& input : node.inputs) ++input;
    }
    Node levels;
    levels.op = Op::quantize;
    levels.name = "levels";
    levels.inputs = {0};
    levels.shape = graph.input_shape();
    set_levels(preprocess, levels);
    graph.nodes.insert(graph.nodes.begin() + 1, std::move(levels));
}

// The first layer reads levels: (level - mean) * scale moves into its weights and bias. It has no
// padding, whose zeros would not be levels.
void read_levels(const Preprocess& preprocess, Node& conv, std::vector<double>& weight) {
    const std::size_t taps = static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    const auto ic = static_cast<std::size_t>(channels(preprocess.order));
    for (std::size_t o = 0; o < conv.bias.size(); ++o) {
        double sum = static_cast<double>(conv.bias[o]);
        for (std::size_t i = 0; i < ic; ++i) {
            for (std::size_t t = 0; t < taps; ++t) {
                double& w = weight[(o * ic + i) * taps + t];
                w *= static_cast<double>(preprocess.scale[i]);
                sum -= w * static_cast<double>(preprocess.mean[i]);
            }
        }
        conv.bias[o] = static_cast<float>(sum);
    }
}

// Levels of channels with factors of their own: those move into the weights that read them.
void read_factors(const Graph& graph, const Node& conv, std::vector<double>& weight) {
    int stride = 1;
    int source = only_input(conv);
    while (node_at(graph, source).op == Op::max_pool) {
        stride *= node_at(graph, source).channel_stride;
        source = only_input(node_at(graph, source));
    }
    const std::vector<float>& factor = node_at(graph, source).output_factor;
    if (factor.empty()) return;
    const std::size_t taps = static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    const std::size_t ic = weight.size() / conv.bias.size() / taps;
    for (std::size_t k = 0; k < weight.size(); ++k) {
        weight[k] *= static_cast<double>(factor[k / taps % ic * static_cast<std::size_t>(stride)]);
    }
}

// What a layer computes is in units of its channels' factors.
void write_factors(Node& conv, std::vector<double>& weight) {
    const std::size_t per_channel = weight.size() / conv.bias.size();
    for (std::size_t o = 0; o < conv.output_factor.size(); ++o) {
        const auto factor = static_cast<double>(conv.output_factor[o]);
        for (std::size_t i = 0; i < per_channel; ++i) weight[o * per_channel + i] /= factor;
        conv.bias[o] = static_cast<float>(static_cast<double>(conv.bias[o]) / factor);
    }
}

// What a step of the node's output is: pools keep it, and levels have 1.
double scale_of(const Graph& graph, int index) {
    while (node_at(graph, index).op == Op::max_pool) index = only_input(node_at(graph, index));
    const Node& node = node_at(graph, index);
    return node.op == Op::conv2d ? static_cast<double>(node.output_scale) : 1.0;
}

}  // namespace

std::vector<double> scaled_weight(const Node& conv) {
    const std::size_t per_channel = conv.weight.size() / conv.bias.size();
    std::vector<double> weight(conv.weight.size());
    for (std::size_t i = 0; i < weight.size(); ++i) {
        const double gain = conv.gain.empty() ? 1.0 : conv.gain[i / per_channel];
        weight[i] = static_cast<double>(conv.weight[i]) * gain;
    }
    return weight;
}

float storable_scale(double step, std::span<std::int8_t> weight) {
    const auto stored = static_cast<float>(step);
    if (stored >= std::numeric_limits<float>::min()) return stored;
    std::fill(weight.begin(), weight.end(), std::int8_t{0});
    return 1.0f;
}

// A channel of zeros gets a step of 1. Channels
// that batch norm has all but switched off have tiny weights beside their bias, which has to be
// counted in the same steps: they get larger ones.
void round_to_nearest(const std::vector<double>& weight, double input_scale, Node& conv) {
    const std::size_t channels = conv.bias.size();
    const std::size_t per_channel = weight.size() / channels;
    std::vector<std::int8_t> int8;
    std::vector<float> steps;
    for (std::size_t o = 0; o < channels; ++o) {
        const double* values = weight.data() + o * per_channel;
        double largest = 0.0;
        for (std::size_t i = 0; i < per_channel; ++i) {
            largest = std::max(largest, std::abs(values[i]));
        }
        const double least =
            conv.relu ? std::abs(static_cast<double>(conv.bias[o])) / (input_scale * kMaxBias)
                      : 0.0;
        float step = static_cast<float>(std::max(largest / kWeightSteps, least));
        if (!(step > 0.0f)) step = 1.0f;
        for (std::size_t i = 0; i < per_channel; ++i) {
            const double q = std::nearbyint(values[i] / static_cast<double>(step));
            int8.push_back(static_cast<std::int8_t>(std::clamp(q, -kWeightSteps, kWeightSteps)));
        }
        steps.push_back(
            storable_scale(static_cast<double>(step), std::span(int8).last(per_channel)));
    }
    set_weight(std::move(int8), std::move(steps), conv);
}

void set_weight(std::vector<std::int8_t> weight, std::vector<float> step, Node& conv) {
    conv.quantized_weight = SharedArray<std::int8_t>(std::move(weight));
    conv.weight_scale = std::move(step);
    conv.gain.clear();
    conv.weight = {};
    if (conv.quantized()) return;
    const std::size_t per_channel = conv.quantized_weight.size() / conv.weight_scale.size();
    std::vector<float> real(conv.quantized_weight.size());
    for (std::size_t i = 0; i < real.size(); ++i) {
        real[i] = static_cast<float>(conv.quantized_weight[i]) * conv.weight_scale[i / per_channel];
    }
    conv.weight = Floats(std::move(real));
}

Graph quantized_graph(const ModelData& model, const std::map<std::string, OutputRange>& ranges,
                      const std::vector<bool>& keep_float) {
    Graph graph = fuse_relu(fold_batch_norm(model.graph));
    insert_levels(model.preprocess, graph);
    std::size_t next = 0;
    for (Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        std::vector<double> weight = scaled_weight(node);
        if (node_at(graph, only_input(node)).op == Op::quantize) {
            read_levels(model.preprocess, node, weight);
        }
        read_factors(graph, node, weight);
        if (node.relu) {
            const OutputRange& range = ranges.at(node.name);
            node.output_scale = range.clip / static_cast<float>(kActivationSteps);
            node.output_factor = range.factor;
        }
        write_factors(node, weight);
        if (keep_float[next++]) {
            node.weight = Floats(std::vector<float>(weight.begin(), weight.end()));
            node.gain.clear();
            continue;
        }
        round_to_nearest(weight, scale_of(graph, only_input(node)), node);
    }
    return graph;
}

}  // namespace lprnet
