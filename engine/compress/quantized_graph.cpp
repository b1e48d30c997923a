#include "engine/compress/quantized_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/model/quantization.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {
namespace {

constexpr double kWeightSteps = kMostWeight;

// A layer that reads levels of pixels: (level - mean) * scale moves into its weights and bias. It
// has no padding, whose zeros would not be levels.
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
void read_factors(const std::vector<float>& factor, const Node& conv, std::vector<double>& weight) {
    if (factor.empty()) return;
    const std::size_t taps = static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    const std::size_t ic = weight.size() / conv.bias.size() / taps;
    for (std::size_t k = 0; k < weight.size(); ++k) {
        weight[k] *= static_cast<double>(factor[k / taps % ic]);
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

void clear_idle_channels(double input_scale, Node& conv) {
    std::vector<std::int8_t> weight(conv.quantized_weight.begin(), conv.quantized_weight.end());
    const std::size_t channels = conv.bias.size(), per_channel = weight.size() / channels;
    for (std::size_t o = 0; o < channels; ++o) {
        const std::span<std::int8_t> row = std::span(weight).subspan(o * per_channel, per_channel);
        double most = std::nearbyint(static_cast<double>(conv.bias[o]) /
                                     (input_scale * static_cast<double>(conv.weight_scale[o])));
        for (const std::int8_t w : row) most += kMostLevel * std::max(int{w}, 0);
        if (most > 0.0) continue;
        std::fill(row.begin(), row.end(), std::int8_t{0});
        conv.bias[o] = 0.0f;
    }
    conv.quantized_weight = SharedArray<std::int8_t>(std::move(weight));
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
            conv.relu ? std::abs(static_cast<double>(conv.bias[o])) / (input_scale * kMostBias)
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
    if (!conv.quantized()) conv.weight = real_weights(conv);
}

Graph quantized_graph(const ModelData& model, const std::vector<OutputRange>& ranges,
                      const std::vector<bool>& keep_float) {
    Graph graph = with_levels(fuse_relu(fold_batch_norm(model.graph)));
    for (Node& node : graph.nodes) {
        if (node.op == Op::quantize) set_levels(model.preprocess, node);
        if (node.op != Op::conv2d) continue;
        std::vector<double> weight = scaled_weight(node);
        if (node_at(graph, only_input(node)).op == Op::quantize) {
            read_levels(model.preprocess, node, weight);
        }
        const auto layer = static_cast<std::size_t>(node.layer);
        const ReadLevels read = levels_read_by(graph, node);
        read_factors(read.factor, node, weight);
        if (node.relu && !node.linear) {
            const OutputRange& range = ranges[layer];
            node.output_scale = range.clip / static_cast<float>(kMostLevel);
            node.output_factor = range.factor;
        }
        write_factors(node, weight);
        if (keep_float[layer]) {
            node.weight = Floats(std::vector<float>(weight.begin(), weight.end()));
            node.gain.clear();
            continue;
        }
        round_to_nearest(weight, read.scale, node);
        if (node.quantized()) clear_idle_channels(read.scale, node);
    }
    return graph;
}

}  // namespace lprnet
