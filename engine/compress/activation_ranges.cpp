#include "engine/compress/activation_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

#include "engine/compress/choose_clips.h"
#include "engine/model/quantization.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "engine/run/network.h"

namespace lprnet {
namespace {

// Pixels from one counted in a histogram to the next: odd, so that it walks through all columns.
constexpr int kHistogramStride = 5;
// How far a layer may go: squares of activations and of their 255 steps, summed over a million
// samples, stay far from both ends of float32. Trained networks go to between 1 and 1000.
constexpr float kLeastLargest = 0x1p-40f, kMostLargest = 0x1p40f;

struct OutputStatistics {
    std::string name;            // of the ReLU
    std::vector<float> largest;  // by stored channel
    std::vector<float> inverse;  // of the stored channel's factor
    std::vector<int> order;      // as StepInfo::channel_order
    Histogram histogram;         // of values over factors
    bool in_context = false;
};

// By Node::layer; those without a ReLU have none.
using Layers = std::vector<std::optional<OutputStatistics>>;

// Runs the network on every input; visit(layer, step, pixel) for every `stride`-th pixel of the
// output of each of the layers, which is one value for each stored channel.
template <class Visit>
void for_each_pixel(Network& network, const std::vector<std::vector<float>>& inputs, int stride,
                    Layers& layers, Visit visit) {
    for (const std::vector<float>& input : inputs) {
        std::copy(input.begin(), input.end(), network.input().begin());
        for (std::size_t s = 0; s < network.steps().size(); ++s) {
            const StepInfo& step = network.steps()[s];
            network.run_step(s);
            if (step.op != Op::conv2d) continue;
            std::optional<OutputStatistics>& layer = layers[static_cast<std::size_t>(step.layer)];
            if (!layer) continue;
            const Tensor& tensor = step.output;
            for (int p = 0; p < tensor.shape.h * tensor.shape.w; p += stride) {
                visit(*layer, step, network.pixel(s, p / tensor.shape.w, p % tensor.shape.w));
            }
        }
    }
}

// The convolutions that have a ReLU, behind which there will be levels, without a value yet.
Layers layers_of(const Graph& graph) {
    Layers layers(static_cast<std::size_t>(layer_count(graph)));
    for (int i = 0; i < node_count(graph); ++i) {
        const Node& node = node_at(graph, i);
        if (node.op != Op::conv2d || !node.relu || node.linear) continue;
        OutputStatistics& layer = layers[static_cast<std::size_t>(node.layer)].emplace();
        layer.name = node.name;
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

Status check_inputs(const std::vector<std::vector<float>>& inputs, std::size_t values) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].size() == values) continue;
        return Error{ErrorCode::invalid_argument, "quantize: input " + std::to_string(i) +
                                                      ": expected " + std::to_string(values) +
                                                      " values, found " +
                                                      std::to_string(inputs[i].size())};
    }
    return {};
}

Status check_largest(const OutputStatistics& layer, float largest) {
    if (!(largest > 0.0f)) {
        return Error{ErrorCode::invalid_argument,
                     "quantize: layer '" + layer.name +
                         "': no activation above 0 in any of the calibration images"};
    }
    if (!(largest >= kLeastLargest && largest <= kMostLargest)) {
        return Error{ErrorCode::invalid_argument,
                     "quantize: layer '" + layer.name + "': activations of up to " +
                         std::to_string(largest) +
                         " in the calibration images, expected 2^-40 to 2^40"};
    }
    return {};
}

// Gives every channel its factor, of which `range` has PyTorch's order.
void equalise_channels(OutputStatistics& layer, float furthest, OutputRange& range) {
    const std::vector<float> factors = factors_of(layer, furthest);
    range.factor.resize(factors.size());
    for (std::size_t c = 0; c < factors.size(); ++c) {
        const std::size_t channel =
            layer.order.empty() ? c : static_cast<std::size_t>(layer.order[c]);
        layer.inverse[c] = 1.0f / factors[c];
        range.factor[channel] = factors[c];
    }
}

// How far each channel goes on the inputs.
void see_largest(Network& network, const std::vector<std::vector<float>>& inputs, Layers& layers) {
    for_each_pixel(network, inputs, 1, layers,
                   [](OutputStatistics& layer, const StepInfo& step, const float* pixel) {
                       layer.order = step.channel_order;
                       float* largest = layer.largest.data();
                       const std::size_t channels = layer.largest.size();
                       for (std::size_t c = 0; c < channels; ++c) {
                           largest[c] = pixel[c] > largest[c] ? pixel[c] : largest[c];
                       }
                   });
}

void fill_histograms(Network& network, const std::vector<std::vector<float>>& inputs,
                     Layers& layers) {
    for_each_pixel(network, inputs, kHistogramStride, layers,
                   [](OutputStatistics& layer, const StepInfo&, const float* pixel) {
                       for (std::size_t c = 0; c < layer.inverse.size(); ++c) {
                           layer.histogram.add(pixel[c] * layer.inverse[c]);
                       }
                   });
}

// By every method that needs a histogram alone.
std::vector<float> clips_of(const Histogram& histogram) {
    std::vector<float> clips;
    for (const ClipMethod method :
         {ClipMethod::mse, ClipMethod::max, ClipMethod::percentile, ClipMethod::kl}) {
        clips.push_back(static_cast<float>(clip_of(histogram, method)));
    }
    return clips;
}

}  // namespace

Result<std::vector<ActivationRange>> activation_ranges(
    const ModelData& model, const std::vector<std::vector<float>>& inputs, ClipMethod method,
    bool equalise, const kernels::KernelTable& table) {
    Result<Network> network = Network::create(model.graph, table, {.whole_tensors = true});
    if (!network) return network.error();
    if (Status s = check_inputs(inputs, network->input().size()); !s) return s.error();
    Layers layers = layers_of(fuse_relu(fold_batch_norm(model.graph)));
    see_largest(*network, inputs, layers);
    std::vector<ActivationRange> ranges(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (!layers[i]) continue;
        OutputStatistics& layer = *layers[i];
        ranges[i].largest = *std::max_element(layer.largest.begin(), layer.largest.end());
        if (Status s = check_largest(layer, ranges[i].largest); !s) return s.error();
        layer.inverse.assign(layer.largest.size(), 1.0f);
        if (equalise) equalise_channels(layer, ranges[i].largest, ranges[i].range);
        layer.histogram.largest = ranges[i].largest;
    }
    fill_histograms(*network, inputs, layers);
    std::vector<std::vector<float>> candidates(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (!layers[i]) continue;
        if (method == ClipMethod::search) {
            candidates[i] = clips_of(layers[i]->histogram);
        } else {
            ranges[i].range.clip = static_cast<float>(clip_of(layers[i]->histogram, method));
        }
    }
    if (method == ClipMethod::search) choose_clips(*network, inputs, candidates, ranges);
    return ranges;
}

}  // namespace lprnet
