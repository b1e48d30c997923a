#include "engine/compress/activation_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "engine/compress/choose_clips.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "engine/run/network.h"

namespace lprnet {
namespace {

// Pixels from one counted in a histogram to the next: odd, so that it walks through all columns.
constexpr int kHistogramStride = 5;
// Channels that never go further than this share of the furthest one get no smaller steps for it:
// what they hold is of no account. The weights file wants it where the context reads a layer.
constexpr float kLeastFactor = 1.0f / 256;
// How far a layer may go: squares of activations and of their 255 steps, summed over a million
// samples, stay far from both ends of float32. Trained networks go to between 1 and 1000.
constexpr float kLeastLargest = 0x1p-40f, kMostLargest = 0x1p40f;

// Runs the network on every input; visit(layer, step, pixel) for every `stride`-th pixel of the
// output of each of the layers, which is one value for each stored channel.
template <class Statistics, class Visit>
void for_each_pixel(Network& network, const std::vector<std::vector<float>>& inputs, int stride,
                    std::map<std::string, Statistics>& layers, Visit visit) {
    for (const std::vector<float>& input : inputs) {
        std::copy(input.begin(), input.end(), network.input().begin());
        for (std::size_t s = 0; s < network.steps().size(); ++s) {
            const StepInfo& step = network.steps()[s];
            network.run_step(s);
            const auto layer = layers.find(step.name);
            if (layer == layers.end()) continue;
            const Tensor& tensor = step.output;
            for (int p = 0; p < tensor.shape.h * tensor.shape.w; p += stride) {
                visit(layer->second, step,
                      network.pixel(s, p / tensor.shape.w, p % tensor.shape.w));
            }
        }
    }
}

struct OutputStatistics {
    std::vector<float> largest;  // by stored channel
    std::vector<float> inverse;  // of the stored channel's factor
    std::vector<int> order;      // as StepInfo::channel_order
    Histogram histogram;         // of values over factors
    bool in_context = false;
};

// The convolutions that have a ReLU, without a value yet.
std::map<std::string, OutputStatistics> layers_of(const Graph& graph) {
    std::map<std::string, OutputStatistics> layers;
    for (int i = 0; i < node_count(graph); ++i) {
        const Node& node = node_at(graph, i);
        if (node.op != Op::conv2d || !node.relu) continue;
        OutputStatistics& layer = layers[node.name];
        layer.largest.resize(node.bias.size());
        for (const Node& reader : graph.nodes) {
            if (reader.op != Op::average_pool && reader.op != Op::normalize) continue;
            layer.in_context = layer.in_context || only_input(reader) == i;
        }
    }
    return layers;
}

// By stored channel, so that all channels go as far as the furthest.
std::vector<float> factors_of(const OutputStatistics& layer, float furthest) {
    std::vector<float> factors;
    for (const float largest : layer.largest) {
        float factor = std::max(largest / furthest, kLeastFactor);
        if (layer.in_context) factor = std::exp2(std::ceil(std::log2(factor)));
        factors.push_back(factor);
    }
    return factors;
}

}  // namespace

Result<std::map<std::string, ActivationRange>> activation_ranges(
    const ModelData& model, const std::vector<std::vector<float>>& inputs, ClipMethod method,
    bool equalise) {
    const Result<const kernels::KernelTable*> table = select_table("");
    if (!table) return table.error();
    Result<Network> network = Network::create(model.graph, **table, {.panels = false});
    if (!network) return network.error();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].size() == network->input().size()) continue;
        return Error{ErrorCode::invalid_argument,
                     "quantize: input " + std::to_string(i) + ": expected " +
                         std::to_string(network->input().size()) + " values, found " +
                         std::to_string(inputs[i].size())};
    }
    std::map<std::string, OutputStatistics> layers =
        layers_of(fuse_relu(fold_batch_norm(model.graph)));
    for_each_pixel(*network, inputs, 1, layers,
                   [](OutputStatistics& layer, const StepInfo& step, const float* pixel) {
                       layer.order = step.channel_order;
                       float* largest = layer.largest.data();
                       const std::size_t channels = layer.largest.size();
                       for (std::size_t c = 0; c < channels; ++c) {
                           largest[c] = pixel[c] > largest[c] ? pixel[c] : largest[c];
                       }
                   });
    std::map<std::string, ActivationRange> ranges;
    for (auto& [name, layer] : layers) {
        ActivationRange& found = ranges[name];
        found.largest = *std::max_element(layer.largest.begin(), layer.largest.end());
        if (!(found.largest > 0.0f)) {
            return Error{ErrorCode::invalid_argument,
                         "quantize: layer '" + name +
                             "': no activation above 0 in any of the calibration images"};
        }
        if (!(found.largest >= kLeastLargest && found.largest <= kMostLargest)) {
            return Error{ErrorCode::invalid_argument,
                         "quantize: layer '" + name + "': activations of up to " +
                             std::to_string(found.largest) +
                             " in the calibration images, expected 2^-40 to 2^40"};
        }
        layer.inverse.assign(layer.largest.size(), 1.0f);
        if (equalise) {
            const std::vector<float> factors = factors_of(layer, found.largest);
            found.range.factor.resize(factors.size());
            for (std::size_t c = 0; c < factors.size(); ++c) {
                layer.inverse[c] = 1.0f / factors[c];
                found.range
                    .factor[layer.order.empty() ? c : static_cast<std::size_t>(layer.order[c])] =
                    factors[c];
            }
        }
        layer.histogram.largest = found.largest;
    }
    for_each_pixel(*network, inputs, kHistogramStride, layers,
                   [](OutputStatistics& layer, const StepInfo&, const float* pixel) {
                       for (std::size_t c = 0; c < layer.inverse.size(); ++c) {
                           layer.histogram.add(pixel[c] * layer.inverse[c]);
                       }
                   });
    std::map<std::string, std::vector<float>> candidates;
    for (const auto& [name, layer] : layers) {
        if (method == ClipMethod::search) {
            for (const ClipMethod one :
                 {ClipMethod::mse, ClipMethod::max, ClipMethod::percentile, ClipMethod::kl}) {
                candidates[name].push_back(static_cast<float>(clip_of(layer.histogram, one)));
            }
        } else {
            ranges[name].range.clip = static_cast<float>(clip_of(layer.histogram, method));
        }
    }
    if (method == ClipMethod::search) choose_clips(*network, inputs, candidates, ranges);
    return ranges;
}

}  // namespace lprnet
