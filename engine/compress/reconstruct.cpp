#include "engine/compress/reconstruct.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/compress/moments.h"
#include "engine/compress/quantized_graph.h"
#include "engine/compress/round_weights.h"
#include "engine/model/quantization.h"
#include "engine/plan/element_reader.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "engine/run/network.h"

namespace lprnet {
namespace {

// Output pixels that a layer is fitted to, spread evenly over all images: more than twice the
// weights of LPRNet's largest channel.
constexpr std::size_t kSamples = 8192;
// As many at a time. Not a power of two: columns of the blocks' matrices would share cache sets.
constexpr std::size_t kBlock = 1000;

// A plan that runs step by step on all images at once, each in a network of its own.
struct Stepper {
    std::shared_ptr<const Plan> plan;
    std::vector<Network> networks;

    Stepper(Plan of, const std::vector<std::vector<float>>& inputs)
        : plan(std::make_shared<const Plan>(std::move(of))) {
        networks.reserve(inputs.size());
        for (const std::vector<float>& input : inputs) {
            networks.emplace_back(plan);
            std::copy(input.begin(), input.end(), networks.back().input().begin());
        }
    }
    // The same graph with other weights: every plan of it has the same layout.
    void replace(Plan other) {
        plan = std::make_shared<const Plan>(std::move(other));
        for (Network& network : networks) network.replace_plan(plan);
    }
    void run(std::size_t step) {
        for (Network& network : networks) network.run_step(step);
    }
    // The step called `name`, or the number of steps.
    std::size_t find(const std::string& name) const {
        const auto it = std::find_if(plan->info.begin(), plan->info.end(),
                                     [&](const StepInfo& step) { return step.name == name; });
        return static_cast<std::size_t>(it - plan->info.begin());
    }
    const Tensor& read_by(const StepInfo& step) const {
        const std::size_t source = find(step.reads);
        return source < plan->info.size() ? plan->info[source].output : plan->input;
    }
};

// What a convolution reads.
struct ConvInput {
    const Tensor& tensor;
    const StepInfo& step;
    int pad_h, pad_w;

    // Calls visit(k, value) for what output pixel (y, x) reads, k in the order of PyTorch's
    // weights; quantized values are levels.
    template <class Visit>
    void each(const float* arena, int y, int x, Visit visit) const {
        const ConvShape& s = step.conv_shape;
        const ElementReader reader(tensor, arena);
        for (int r = 0; r < s.kh; ++r) {
            for (int t = 0; t < s.kw; ++t) {
                for (int stored = 0; stored < s.ic; ++stored) {
                    const auto i = static_cast<int>(
                        channel_at(step.input_order, static_cast<std::size_t>(stored)));
                    visit(static_cast<std::size_t>((i * s.kh + r) * s.kw + t),
                          reader.stored(y + r - pad_h, x + t - pad_w, stored));
                }
            }
        }
    }
};

// The real value of a level of each input channel, in PyTorch's order.
std::vector<double> input_units(const Stepper& quantized, const StepInfo& step,
                                const Preprocess& preprocess) {
    const auto ic = static_cast<std::size_t>(step.conv_shape.ic);
    std::vector<double> units(ic, 1.0);
    const StepInfo& source = quantized.plan->info[quantized.find(step.reads)];
    if (!source.levels) return units;
    for (std::size_t i = 0; i < ic; ++i) {
        units[i] = static_cast<double>(source.levels->scale);
        if (source.op == Op::quantize) units[i] *= static_cast<double>(preprocess.scale[i]);
        if (!source.levels->factor.empty()) {
            units[i] *= static_cast<double>(source.levels->factor[i]);
        }
    }
    return units;
}

// What `conv` read and should have computed, at kSamples pixels.
Moments sample(const Stepper& exact, std::size_t exact_step, const Stepper& quantized,
               std::size_t step_index, const Node& conv, const std::vector<float>& weight) {
    const kernels::KernelTable& table = *exact.plan->table;
    const StepInfo& step = quantized.plan->info[step_index];
    const ConvShape& shape = step.conv_shape;
    const StepInfo& exact_one = exact.plan->info[exact_step];
    const ConvInput from = {exact.read_by(exact_one), exact_one, conv.pad_h, conv.pad_w};
    const ConvInput to = {quantized.read_by(step), step, conv.pad_h, conv.pad_w};
    const auto targets = conv.bias.size();
    const std::size_t inputs = weight.size() / targets;
    const std::size_t pixels =
        static_cast<std::size_t>(shape.oh) * static_cast<std::size_t>(shape.ow);
    const std::size_t all = exact.networks.size() * pixels;
    const std::size_t count = std::min(all, kSamples);
    MomentSums sums(table, inputs, targets);
    std::vector<float> exact_inputs, quantized_inputs, outputs;
    for (std::size_t begin = 0; begin < count; begin += kBlock) {
        const std::size_t block = std::min(kBlock, count - begin);
        exact_inputs.resize(block * inputs);
        quantized_inputs.resize(inputs * block);
        for (std::size_t i = 0; i < block; ++i) {
            const std::size_t at = (begin + i) * all / count;
            const int y = static_cast<int>(at % pixels) / shape.ow;
            const int x = static_cast<int>(at % pixels) % shape.ow;
            from.each(exact.networks[at / pixels].arena(), y, x,
                      [&](std::size_t k, float value) { exact_inputs[i * inputs + k] = value; });
            to.each(quantized.networks[at / pixels].arena(), y, x,
                    [&](std::size_t k, float value) { quantized_inputs[k * block + i] = value; });
        }
        multiply_transposed(table, weight, targets, exact_inputs, block, inputs, outputs);
        for (std::size_t o = 0; o < targets; ++o) {
            for (std::size_t i = 0; i < block; ++i) outputs[o * block + i] += conv.bias[o];
        }
        sums.add(quantized_inputs, outputs, block);
    }
    return sums.take();
}

// Sums of what the layers before gave, of which a network of extreme weights can make anything.
bool all_finite(const Moments& moments) {
    const auto finite = [](const auto& values) {
        return std::all_of(values.begin(), values.end(), [](auto v) { return std::isfinite(v); });
    };
    return finite(moments.input_mean) && finite(moments.target_mean) &&
           finite(moments.inputs_inputs) && finite(moments.targets_inputs);
}

void drop_small(double share, std::size_t channels, std::vector<double>& weight) {
    const std::size_t per_channel = weight.size() / channels;
    for (std::size_t o = 0; o < channels; ++o) {
        const std::span<double> row = std::span(weight).subspan(o * per_channel, per_channel);
        double largest = 0.0;
        for (const double w : row) largest = std::max(largest, std::abs(w));
        for (double& w : row) {
            if (std::abs(w) < share * largest) w = 0.0;
        }
    }
}

// With which the channel's weights come to the right mean.
double best_bias(const std::vector<double>& weight, const Moments& moments, std::size_t channel) {
    double bias = moments.target_mean[channel];
    for (std::size_t k = 0; k < moments.inputs; ++k) {
        bias -= weight[channel * moments.inputs + k] * moments.input_mean[k];
    }
    return bias;
}

// What a layer computes is in units of its channels' factors.
double factor_of(const Node& node, std::size_t channel) {
    return node.output_factor.empty() ? 1.0 : static_cast<double>(node.output_factor[channel]);
}

// `weight` is that of the convolution that `node` was made from.
void fit(std::vector<double> weight, const Moments& moments, const std::vector<double>& units,
         double input_scale, double zero_below, Node& node) {
    const std::size_t channels = node.bias.size();
    const std::size_t taps = static_cast<std::size_t>(node.kh) * static_cast<std::size_t>(node.kw);
    for (std::size_t i = 0; i < weight.size(); ++i) {
        weight[i] *= units[i / taps % units.size()];
    }
    if (node.quantized_weight.size() == 0) {  // weights that stay float32
        for (std::size_t o = 0; o < channels; ++o) {
            node.bias[o] = static_cast<float>(best_bias(weight, moments, o) / factor_of(node, o));
        }
        return;
    }
    drop_small(zero_below, channels, weight);
    std::vector<double> least(channels);
    for (std::size_t o = 0; o < channels; ++o) {
        // Twice, because rounded weights need another bias.
        if (node.quantized()) least[o] = 2.0 * std::abs(best_bias(weight, moments, o)) / kMostBias;
    }
    RoundedWeights rounded = round_weights(weight, moments, least);
    std::vector<float> step(channels);
    for (std::size_t o = 0; o < channels; ++o) {
        const double factor = factor_of(node, o);
        const std::size_t per_channel = rounded.weight.size() / channels;
        step[o] = storable_scale(rounded.step[o] / (input_scale * factor),
                                 std::span(rounded.weight).subspan(o * per_channel, per_channel));
        node.bias[o] = static_cast<float>(rounded.bias[o] / factor);
    }
    set_weight(std::move(rounded.weight), std::move(step), node);
    if (node.relu) clear_idle_channels(input_scale, node);
}

// That of a layer, which is there.
template <class G>
auto& convolution(G& graph, int layer) {
    return *std::find_if(graph.nodes.begin(), graph.nodes.end(),
                         [&](const Node& node) { return node.layer == layer; });
}

}  // namespace

Status reconstruct(const ModelData& model, const std::vector<std::vector<float>>& inputs,
                   double zero_below, const kernels::KernelTable& table, Graph& quantized) {
    const Graph folded = fuse_relu(fold_batch_norm(model.graph));
    Result<Plan> exact_plan = build_plan(model.graph, table, {.whole_tensors = true});
    if (!exact_plan) return exact_plan.error();
    Result<Plan> plan = build_plan(quantized, table, {.whole_tensors = true});
    if (!plan) return plan.error();
    Stepper exact(std::move(*exact_plan), inputs);
    Stepper fitted(std::move(*plan), inputs);
    for (std::size_t s = 0; s < fitted.plan->info.size(); ++s) {
        // The same steps in the same order, but for those that make levels, or real values of them.
        const std::size_t e = exact.find(fitted.plan->info[s].name);
        // A linear layer has one output for each image: too few to fit it to.
        if (fitted.plan->info[s].op == Op::conv2d &&
            !convolution(folded, fitted.plan->info[s].layer).linear) {
            const Node& original = convolution(folded, fitted.plan->info[s].layer);
            Node& node = convolution(quantized, fitted.plan->info[s].layer);
            const std::vector<double> weight = scaled_weight(original);
            const Moments moments = sample(exact, e, fitted, s, original,
                                           std::vector<float>(weight.begin(), weight.end()));
            if (!all_finite(moments)) {
                return Error{ErrorCode::unsupported,
                             "quantize: layer '" + fitted.plan->info[s].name +
                                 "': sums over the calibration images leave float32"};
            }
            const std::optional<LevelScale>& levels =
                fitted.plan->info[fitted.find(fitted.plan->info[s].reads)].levels;
            fit(weight, moments, input_units(fitted, fitted.plan->info[s], model.preprocess),
                levels ? static_cast<double>(levels->scale) : 1.0, zero_below, node);
            Result<Plan> refitted = build_plan(quantized, table, {.whole_tensors = true});
            if (!refitted) return refitted.error();
            fitted.replace(std::move(*refitted));
        }
        fitted.run(s);
        if (e < exact.plan->info.size()) exact.run(e);
    }
    return {};
}

}  // namespace lprnet
