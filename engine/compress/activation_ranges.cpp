#include "engine/compress/activation_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "engine/run/run.h"
#include "kernels/aligned_buffer.h"

namespace lprnet {
namespace {

constexpr double kActivationSteps = 255.0;
constexpr std::size_t kBins = 4096;
constexpr double kPercentile = 0.9999;
// Pixels from one counted in a histogram to the next: odd, so that it walks through all columns.
constexpr int kHistogramStride = 5;
// Channels that never go further than this share of the furthest one get no smaller steps for it:
// what they hold is of no account. The weights file wants it where the context reads a layer.
constexpr float kLeastFactor = 1.0f / 256;

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

// Runs the network on every input; visit(layer, step, pixel) for every `stride`-th pixel of the
// output of each of the layers, which is one value for each stored channel.
template <class Layer, class Visit>
void for_each_pixel(const Plan& plan, const std::vector<std::vector<float>>& inputs, int stride,
                    std::map<std::string, Layer>& layers, Visit visit) {
    kernels::AlignedBuffer arena(plan.arena_size);
    for (const std::vector<float>& input : inputs) {
        std::copy(input.begin(), input.end(), plan.input.floats(arena.data()));
        for (const Step& step : plan.steps) {
            run_step(plan, step, arena.data());
            const auto layer = layers.find(step.name);
            if (layer == layers.end()) continue;
            const Tensor& tensor = step.output;
            for (int p = 0; p < tensor.h * tensor.w; p += stride) {
                visit(layer->second, step,
                      tensor.floats(arena.data()) + p / tensor.w * tensor.row() +
                          std::ptrdiff_t{p % tensor.w} * tensor.c);
            }
        }
    }
}

struct Layer {
    std::vector<float> largest;  // by stored channel
    std::vector<float> inverse;  // of the stored channel's factor
    std::vector<int> order;      // as Step::channel_order
    Histogram histogram;         // of values over factors
    bool in_context = false;
};

// The convolutions that have a ReLU, without a value yet.
std::map<std::string, Layer> layers_of(const Graph& graph) {
    std::map<std::string, Layer> layers;
    for (int i = 0; i < node_count(graph); ++i) {
        const Node& node = node_at(graph, i);
        if (node.op != Op::conv2d || !node.relu) continue;
        Layer& layer = layers[node.name];
        layer.largest.resize(node.bias.size());
        for (const Node& reader : graph.nodes) {
            if (reader.op != Op::average_pool && reader.op != Op::normalize) continue;
            layer.in_context = layer.in_context || only_input(reader) == i;
        }
    }
    return layers;
}

// By stored channel, so that all channels go as far as the furthest.
std::vector<float> factors_of(const Layer& layer, float furthest) {
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
    const Result<Plan> plan = build_plan(model.graph, **table);
    if (!plan) return plan.error();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].size() == plan->input.size()) continue;
        return Error{ErrorCode::invalid_argument,
                     "quantize: input " + std::to_string(i) + ": expected " +
                         std::to_string(plan->input.size()) + " values, found " +
                         std::to_string(inputs[i].size())};
    }
    std::map<std::string, Layer> layers = layers_of(fuse_relu(fold_batch_norm(model.graph)));
    for_each_pixel(*plan, inputs, 1, layers,
                   [](Layer& layer, const Step& step, const float* pixel) {
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
    for_each_pixel(*plan, inputs, kHistogramStride, layers,
                   [](Layer& layer, const Step&, const float* pixel) {
                       for (std::size_t c = 0; c < layer.inverse.size(); ++c) {
                           layer.histogram.add(pixel[c] * layer.inverse[c]);
                       }
                   });
    for (auto& [name, layer] : layers) {
        ranges[name].range.clip = static_cast<float>(clip_of(layer.histogram, method));
    }
    return ranges;
}

}  // namespace lprnet
