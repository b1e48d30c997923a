#include "engine/compress/damage.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "engine/compress/round_output.h"
#include "engine/model/quantization.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "engine/run/network.h"

namespace lprnet {
namespace {

// A convolution as the quantized network computes it, in real values.
struct RealLayer {
    Floats weight;
    std::vector<float> bias;
    std::vector<float> scales;  // of the outputs, by PyTorch's channel; empty: not rounded
};

RealLayer real_layer(const ModelData& model, const Node& conv) {
    if (!conv.quantized()) return {conv.weight, conv.bias, {}};
    const std::vector<float> read = levels_read_by(model.graph, conv).factor;
    const bool levels = node_at(model.graph, only_input(conv)).op == Op::quantize;
    const std::size_t channels = conv.bias.size();
    const bool kept = conv.keeps_float();
    const std::size_t count = kept ? conv.weight.size() : conv.quantized_weight.size();
    const std::size_t per_channel = count / channels;
    const std::size_t taps = static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    RealLayer layer;
    std::vector<float> weight(count);
    for (std::size_t o = 0; o < channels; ++o) {
        const double factor =
            conv.output_factor.empty() ? 1.0 : static_cast<double>(conv.output_factor[o]);
        double bias = static_cast<double>(conv.bias[o]);
        for (std::size_t k = 0; k < per_channel; ++k) {
            const std::size_t i = k / taps;
            const std::size_t at = o * per_channel + k;
            double w = kept ? static_cast<double>(conv.weight[at])
                            : real_weight(conv.quantized_weight[at], conv.weight_scale[o]);
            if (levels) {
                bias += w * static_cast<double>(model.preprocess.mean[i]);
                w /= static_cast<double>(model.preprocess.scale[i]);
            }
            if (!read.empty()) w /= static_cast<double>(read[i]);
            weight[at] = static_cast<float>(w * factor);
        }
        layer.bias.push_back(static_cast<float>(bias * factor));
        layer.scales.push_back(static_cast<float>(static_cast<double>(conv.output_scale) * factor));
    }
    layer.weight = Floats(std::move(weight));
    return layer;
}

class PartlyQuantized {
public:
    PartlyQuantized(const ModelData& exact, const ModelData& quantized,
                    const kernels::KernelTable& table)
        : graph_(fuse_relu(fold_batch_norm(exact.graph))), table_(table) {
        layers_.resize(static_cast<std::size_t>(layer_count(quantized.graph)));
        for (const Node& node : quantized.graph.nodes) {
            if (node.op != Op::conv2d) continue;
            layers_[static_cast<std::size_t>(node.layer)] = real_layer(quantized, node);
        }
    }

    std::size_t layers() const { return layers_.size(); }

    // The logits of all inputs with those layers quantized.
    Result<std::vector<float>> logits(const std::vector<bool>& which,
                                      const std::vector<std::vector<float>>& inputs) const {
        Graph graph = graph_;
        for (Node& node : graph.nodes) {
            if (node.op != Op::conv2d) continue;
            const auto layer = static_cast<std::size_t>(node.layer);
            if (!which[layer]) continue;
            node.weight = layers_[layer].weight;
            node.bias = layers_[layer].bias;
            node.gain.clear();
        }
        Result<Network> network =
            Network::create(std::move(graph), table_, {.whole_tensors = true});
        if (!network) return network.error();
        std::vector<float> logits;
        for (const std::vector<float>& input : inputs) {
            std::copy(input.begin(), input.end(), network->input().begin());
            for (std::size_t s = 0; s < network->steps().size(); ++s) {
                const StepInfo& step = network->steps()[s];
                network->run_step(s);
                if (step.op != Op::conv2d) continue;
                const auto layer = static_cast<std::size_t>(step.layer);
                if (!which[layer] || layers_[layer].scales.empty()) continue;
                round_output(*network, s, layers_[layer].scales);
            }
            logits.insert(logits.end(), network->logits().begin(), network->logits().end());
        }
        return logits;
    }

private:
    Graph graph_;
    const kernels::KernelTable& table_;
    std::vector<RealLayer> layers_;  // by layer
};

double relative_error(const std::vector<float>& exact, const std::vector<float>& found) {
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        const auto e = static_cast<double>(exact[i]);
        error += (static_cast<double>(found[i]) - e) * (static_cast<double>(found[i]) - e);
        size += e * e;
    }
    return size > 0.0 ? std::sqrt(error / size) : 0.0;
}

}  // namespace

Result<Damage> measure_damage(const ModelData& exact, const ModelData& quantized,
                              const std::vector<std::vector<float>>& inputs,
                              const kernels::KernelTable& table) {
    const PartlyQuantized network(exact, quantized, table);
    const std::vector<bool> none(network.layers(), false), every(network.layers(), true);
    const Result<std::vector<float>> expected = network.logits(none, inputs);
    if (!expected) return expected.error();
    const auto error_of = [&](const std::vector<bool>& which) -> Result<double> {
        const Result<std::vector<float>> found = network.logits(which, inputs);
        if (!found) return found.error();
        return relative_error(*expected, *found);
    };
    Damage damage;
    const Result<double> all = error_of(every);
    if (!all) return all.error();
    damage.all = *all;
    for (std::size_t i = 0; i < network.layers(); ++i) {
        std::vector<bool> alone = none, without = every;
        alone[i] = true;
        without[i] = false;
        const Result<double> first = error_of(alone);
        if (!first) return first.error();
        const Result<double> second = error_of(without);
        if (!second) return second.error();
        damage.layers.push_back({*first, *second});
    }
    return damage;
}

}  // namespace lprnet
