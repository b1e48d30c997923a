#include "engine/compress/quantize.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "engine/plan/tensor_elements.h"
#include "engine/run/run.h"

namespace lprnet {
namespace {

constexpr double kWeightSteps = 127.0;
constexpr double kActivationSteps = 255.0;
constexpr double kMaxBias = 1 << 30;  // in steps of its sum
constexpr std::size_t kBins = 4096;
constexpr double kPercentile = 0.9999;

// What a layer's output looks like: counts of equal bins from 0 to the largest value.
struct Histogram {
    float largest = 0.0f;
    std::vector<double> counts = std::vector<double>(kBins);

    void add(float value) {
        if (!(value > 0.0f)) {
            counts[0] += 1.0;
            return;
        }
        const auto bin = static_cast<std::size_t>(value / largest * static_cast<float>(kBins));
        counts[std::min(bin, kBins - 1)] += 1.0;
    }
    double centre(std::size_t bin) const {
        // Zeros are exact at any step, and most of the first bin.
        return bin == 0 ? 0.0
                        : (static_cast<double>(bin) + 0.5) / kBins * static_cast<double>(largest);
    }
};

double squared_error(const Histogram& histogram, double clip) {
    const double step = clip / kActivationSteps;
    double sum = 0.0;
    for (std::size_t bin = 0; bin < kBins; ++bin) {
        const double value = histogram.centre(bin);
        const double stored = std::min(std::nearbyint(value / step), kActivationSteps) * step;
        sum += histogram.counts[bin] * (value - stored) * (value - stored);
    }
    return sum;
}

double clip_of(const Histogram& histogram, ClipMethod method) {
    const double largest = static_cast<double>(histogram.largest);
    if (method == ClipMethod::max) return largest;
    if (method == ClipMethod::percentile) {
        double total = 0.0;
        for (const double count : histogram.counts) total += count;
        double below = 0.0;
        for (std::size_t bin = 0; bin < kBins; ++bin) {
            below += histogram.counts[bin];
            if (below >= kPercentile * total) {
                return static_cast<double>(bin + 1) / kBins * largest;
            }
        }
        return largest;
    }
    double best = largest, least = squared_error(histogram, largest);
    for (int percent = 20; percent < 100; ++percent) {
        const double clip = largest * percent / 100.0;
        const double error = squared_error(histogram, clip);
        if (error < least) {
            least = error;
            best = clip;
        }
    }
    return best;
}

// The nearest of 255 steps of each output channel. A channel of zeros gets a step of 1. Channels
// that batch norm has all but switched off have tiny weights beside their bias, which has to be
// counted in the same steps: they get larger ones, from `least` on.
void quantize_channels(const std::vector<double>& weight, const std::vector<double>& least,
                       std::vector<std::int8_t>& int8, std::vector<float>& steps) {
    const std::size_t channels = least.size();
    const std::size_t per_channel = weight.size() / channels;
    for (std::size_t o = 0; o < channels; ++o) {
        const double* values = weight.data() + o * per_channel;
        double largest = 0.0;
        for (std::size_t i = 0; i < per_channel; ++i) {
            largest = std::max(largest, std::abs(values[i]));
        }
        float step = static_cast<float>(std::max(largest / kWeightSteps, least[o]));
        if (!(step > 0.0f)) step = 1.0f;
        steps.push_back(step);
        for (std::size_t i = 0; i < per_channel; ++i) {
            const double q = std::nearbyint(values[i] / static_cast<double>(step));
            int8.push_back(static_cast<std::int8_t>(std::clamp(q, -kWeightSteps, kWeightSteps)));
        }
    }
}

std::vector<double> scaled_weight(const Node& conv) {
    const std::size_t per_channel = conv.weight.size() / conv.bias.size();
    std::vector<double> weight(conv.weight.size());
    for (std::size_t i = 0; i < weight.size(); ++i) {
        const double scale = conv.scale.empty() ? 1.0 : conv.scale[i / per_channel];
        weight[i] = static_cast<double>(conv.weight[i]) * scale;
    }
    return weight;
}

// The first layer reads levels: (level - mean) * scale moves into its weights and bias. It has no
// padding, whose zeros would not be levels.
void read_levels(const Preprocess& preprocess, const Node& conv, std::vector<double>& weight,
                 std::vector<float>& bias) {
    const std::size_t taps = static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    const auto ic = static_cast<std::size_t>(channels(preprocess.order));
    for (std::size_t o = 0; o < bias.size(); ++o) {
        double sum = static_cast<double>(bias[o]);
        for (std::size_t i = 0; i < ic; ++i) {
            for (std::size_t t = 0; t < taps; ++t) {
                double& w = weight[(o * ic + i) * taps + t];
                w *= static_cast<double>(preprocess.scale[i]);
                sum -= w * static_cast<double>(preprocess.mean[i]);
            }
        }
        bias[o] = static_cast<float>(sum);
    }
}

// The convolution, or the input, whose steps node `index` has: pools keep them.
int source_of(const Graph& graph, int index) {
    while (node_at(graph, index).op == Op::max_pool) index = only_input(node_at(graph, index));
    return index;
}

std::vector<std::int64_t> shape_of(const Node& conv) {
    const auto oc = static_cast<std::int64_t>(conv.bias.size());
    const std::int64_t taps = std::int64_t{conv.kh} * conv.kw;
    return {oc, static_cast<std::int64_t>(conv.weight.size()) / (oc * taps), conv.kh, conv.kw};
}

void add_weight(const Node& conv, const std::string& name, const std::vector<double>& weight,
                const std::vector<double>& least, QuantizedModel& model) {
    std::vector<std::int8_t> int8;
    std::vector<float> steps;
    quantize_channels(weight, least, int8, steps);
    const auto oc = static_cast<std::int64_t>(steps.size());
    model.tensors.push_back({name + ".weight", shape_of(conv), std::move(int8), {}});
    model.tensors.push_back({name + ".weight.scale", {oc}, {}, std::move(steps)});
}

// Runs the network on every input; visit(step, histogram) for each layer to quantise.
template <class Visit>
void for_each_output(const Plan& plan, const std::vector<std::vector<float>>& inputs,
                     std::map<std::string, Histogram>& histograms, Visit visit) {
    kernels::AlignedBuffer arena(plan.arena_size);
    for (const std::vector<float>& input : inputs) {
        std::copy(input.begin(), input.end(), plan.input.floats(arena.data()));
        for (const Step& step : plan.steps) {
            run_step(plan, step, arena.data());
            const auto histogram = histograms.find(step.name);
            if (histogram == histograms.end()) continue;
            for_each_element(step.output, {}, arena.data(),
                             [&](std::size_t, float& value) { visit(histogram->second, value); });
        }
    }
}

Result<std::map<std::string, Histogram>> calibrate(const Graph& graph,
                                                   const std::vector<std::vector<float>>& inputs,
                                                   const std::vector<std::string>& layers) {
    Result<const kernels::KernelTable*> table = select_table("");
    if (!table) return table.error();
    Result<Plan> plan = build_plan(graph, **table);
    if (!plan) return plan.error();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].size() == plan->input.size()) continue;
        return Error{ErrorCode::invalid_argument,
                     "quantize: input " + std::to_string(i) + ": expected " +
                         std::to_string(plan->input.size()) + " values, found " +
                         std::to_string(inputs[i].size())};
    }
    std::map<std::string, Histogram> histograms;
    for (const std::string& layer : layers) histograms[layer];
    for_each_output(*plan, inputs, histograms, [](Histogram& histogram, float value) {
        histogram.largest = std::max(histogram.largest, value);
    });
    for (const auto& [layer, histogram] : histograms) {
        if (histogram.largest > 0.0f) continue;
        return Error{ErrorCode::invalid_argument,
                     "quantize: layer '" + layer +
                         "': no activation above 0 in any of the calibration images"};
    }
    for_each_output(*plan, inputs, histograms,
                    [](Histogram& histogram, float value) { histogram.add(value); });
    return histograms;
}

}  // namespace

std::vector<weights::TensorView> QuantizedModel::views() const {
    std::vector<weights::TensorView> views;
    for (const Tensor& tensor : tensors) {
        views.push_back(
            tensor.int8.empty()
                ? weights::view_of<float>(tensor.name, tensor.shape,
                                          std::span<const float>(tensor.f32))
                : weights::view_of<std::int8_t>(tensor.name, tensor.shape,
                                                std::span<const std::int8_t>(tensor.int8)));
    }
    return views;
}

Result<QuantizedModel> quantize(const ModelData& model,
                                const std::vector<std::vector<float>>& inputs, ClipMethod method) {
    if (inputs.empty()) {
        return Error{ErrorCode::invalid_argument, "quantize: no calibration images"};
    }
    // The names that convolutions have in the file; the passes below give them others, but
    // leave them in their order.
    std::vector<std::string> stored;
    for (const Node& node : model.graph.nodes) {
        if (node.op == Op::quantise || node.quantised()) {
            return Error{ErrorCode::unsupported, model.name + ": quantised already"};
        }
        if (node.op == Op::conv2d) stored.push_back(node.name);
    }
    const Graph graph = fuse_relu(fold_batch_norm(model.graph));
    std::vector<std::string> layers;
    for (const Node& node : graph.nodes) {
        if (node.op == Op::conv2d && node.relu) layers.push_back(node.name);
    }
    Result<std::map<std::string, Histogram>> histograms = calibrate(model.graph, inputs, layers);
    if (!histograms) return histograms.error();

    QuantizedModel result;
    bool first = true;
    auto name = stored.begin();
    std::map<int, double> steps = {
        {0, 1.0}};  // of the outputs so far; the first layer reads levels
    for (int index = 0; index < node_count(graph); ++index) {
        const Node& node = node_at(graph, index);
        if (node.op != Op::conv2d) continue;
        std::vector<double> weight = scaled_weight(node);
        std::vector<float> bias = node.bias;
        if (first) read_levels(model.preprocess, node, weight, bias);
        first = false;
        std::vector<double> least(bias.size());
        if (node.relu) {
            const double input_step = steps.at(source_of(graph, only_input(node)));
            for (std::size_t o = 0; o < least.size(); ++o) {
                least[o] = std::abs(static_cast<double>(bias[o])) / (input_step * kMaxBias);
            }
        }
        add_weight(node, *name, weight, least, result);
        const auto oc = static_cast<std::int64_t>(bias.size());
        result.tensors.push_back({*name + ".bias", {oc}, {}, std::move(bias)});
        if (node.relu) {
            const Histogram& histogram = histograms->at(node.name);
            const auto clip = static_cast<float>(clip_of(histogram, method));
            result.tensors.push_back(
                {*name + ".output.scale", {1}, {}, {clip / static_cast<float>(kActivationSteps)}});
            result.layers.push_back({node.name, histogram.largest, clip});
            steps[index] = static_cast<double>(clip) / kActivationSteps;
        }
        ++name;
    }
    return result;
}

Result<QuantizedModel> quantize_weights(const weights::SafetensorsFile& file,
                                        const ModelData& model) {
    QuantizedModel result;
    std::set<std::string, std::less<>> replaced;
    for (const Node& node : model.graph.nodes) {
        if (node.op != Op::conv2d) continue;
        if (node.quantised()) {
            return Error{ErrorCode::unsupported, model.name + ": quantised already"};
        }
        add_weight(node, node.name, scaled_weight(node), std::vector<double>(node.bias.size()),
                   result);
        for (const char* part :
             {".weight", ".weight.scale", ".weight.mask", ".weight.values", ".weight.shape"}) {
            replaced.insert(node.name + part);
        }
    }
    for (const weights::TensorView& tensor : file.tensors()) {
        if (replaced.count(tensor.name) != 0 || tensor.dtype != weights::DType::f32) continue;
        QuantizedModel::Tensor copy = {tensor.name, tensor.shape, {}, {}};
        if (Status s = tensor.copy_f32(copy.f32); !s) return s.error();
        result.tensors.push_back(std::move(copy));
    }
    return result;
}

}  // namespace lprnet
