#include "engine/measure/quantization.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/boundary.h"
#include "engine/compress/damage.h"
#include "engine/run/network.h"
#include "engine/text/printable.h"

namespace lprnet::measure {
namespace {

// Each layer takes two passes over these.
constexpr std::size_t kDamageInputs = 32;

// Adds what one image's output of a layer is in both networks.
void add_output(const std::vector<float>& exact, const std::vector<float>& found,
                LayerChange& sums) {
    constexpr std::size_t kSums = 8;
    double product[kSums] = {}, left[kSums] = {}, right[kSums] = {}, error[kSums] = {};
    for (std::size_t i = 0; i < exact.size(); ++i) {
        const auto l = static_cast<double>(exact[i]), r = static_cast<double>(found[i]);
        product[i % kSums] += l * r;
        left[i % kSums] += l * l;
        right[i % kSums] += r * r;
        error[i % kSums] += (l - r) * (l - r);
    }
    for (std::size_t i = 0; i < kSums; ++i) {
        sums.product += product[i];
        sums.exact += left[i];
        sums.found += right[i];
        sums.error += error[i];
    }
}

// A step of the network after, the step that computes the same before, and where the report has it.
struct Pair {
    std::size_t after, before;
    LayerChange* layer;  // null: not in the report
};

// The network after has the steps of that before, and besides them those that make levels.
Result<std::vector<Pair>> paired(const Network& before, const Network& after,
                                 std::vector<LayerChange>& layers) {
    std::map<std::string, LayerChange*> named;
    for (LayerChange& layer : layers) named[layer.layer.name] = &layer;
    std::vector<Pair> pairs;
    for (std::size_t s = 0; s < after.steps().size(); ++s) {
        const StepInfo& step = after.steps()[s];
        const auto found = named.find(step.name);
        LayerChange* const layer = found != named.end() ? found->second : nullptr;
        if (layer != nullptr) {
            layer->type = op_name(step.op);
            layer->kernel = step.kernel;
        }
        if (pairs.size() == before.steps().size()) continue;
        const StepInfo& same = before.steps()[pairs.size()];
        if (same.name != step.name) continue;
        if (layer != nullptr && !(same.shape == step.shape))
            return Error{ErrorCode::mismatch,
                         "layer " + in_quotes(step.name) + ": other shapes before and after"};
        pairs.push_back({s, pairs.size(), layer});
    }
    if (pairs.size() < before.steps().size()) {
        return Error{ErrorCode::mismatch, "layer " + in_quotes(before.steps()[pairs.size()].name) +
                                              " is not in the network after"};
    }
    return pairs;
}

Status check_inputs(const Inputs& inputs, std::size_t size) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].size() == size) continue;
        return Error{ErrorCode::mismatch, "input " + std::to_string(i + 1) + ": expected " +
                                              std::to_string(size) + " numbers, found " +
                                              std::to_string(inputs[i].size())};
    }
    return {};
}

void run_both(Network& before, Network& after, const std::vector<Pair>& pairs) {
    std::vector<float> exact, found;
    auto pair = pairs.begin();
    for (std::size_t s = 0; s < after.steps().size(); ++s) {
        after.run_step(s);
        if (pair == pairs.end() || pair->after != s) continue;
        before.run_step(pair->before);
        if (pair->layer != nullptr) {
            before.read_output(pair->before, exact);
            after.read_output(s, found);
            add_output(exact, found, *pair->layer);
        }
        ++pair;
    }
}

}  // namespace

double LayerChange::cosine() const noexcept {
    return exact > 0 ? product / std::sqrt(exact * found) : 1.0;
}
double LayerChange::relative_error() const noexcept {
    return exact > 0 ? std::sqrt(error / exact) : 0.0;
}

Result<QuantizationReport> compare_networks(Recognizer& before, Recognizer& after,
                                            const std::vector<QuantizedLayer>& layers,
                                            const Inputs& inputs, Progress& progress) noexcept {
    return guarded([&]() -> Result<QuantizationReport> {
        if (before.input().size() != after.input().size())
            return Error{ErrorCode::mismatch, "networks of different inputs"};
        if (Status s = check_inputs(inputs, before.input().size()); !s) return s.error();
        QuantizationReport report;
        for (const QuantizedLayer& layer : layers) report.layers.push_back({.layer = layer});
        const Result<std::vector<Pair>> pairs =
            paired(before.network(), after.network(), report.layers);
        if (!pairs) return pairs.error();
        progress.begin(inputs.size());
        Reading first, second;
        for (const std::vector<float>& input : inputs) {
            if (!progress.advance(1)) return stopped();
            std::copy(input.begin(), input.end(), before.input().begin());
            std::copy(input.begin(), input.end(), after.input().begin());
            run_both(before.network(), after.network(), *pairs);
            if (Status s = before.decode(first); !s) return s.error();
            if (Status s = after.decode(second); !s) return s.error();
            ++report.images;
            if (first.text != second.text) ++report.texts_changed;
        }
        return report;
    });
}

Status add_damage(const Model& before, const Model& after, const Inputs& inputs,
                  const kernels::KernelTable& table, QuantizationReport& report) noexcept {
    return guarded([&]() -> Status {
        const Shape shape = before.data().graph.input_shape();
        const auto size = static_cast<std::size_t>(shape.c) * static_cast<std::size_t>(shape.h) *
                          static_cast<std::size_t>(shape.w);
        if (Status s = check_inputs(inputs, size); !s) return s;
        // Spread over all of them.
        Inputs some;
        const std::size_t count = std::min(inputs.size(), kDamageInputs);
        for (std::size_t i = 0; i < count; ++i) some.push_back(inputs[i * inputs.size() / count]);
        const Result<Damage> damage = measure_damage(before.data(), after.data(), some, table);
        if (!damage) return damage.error();
        if (damage->layers.size() > report.layers.size()) {
            return Error{ErrorCode::mismatch,
                         "damage: expected " + std::to_string(report.layers.size()) +
                             " layers, found " + std::to_string(damage->layers.size())};
        }
        double squares = 0.0;
        for (const Damage::LayerDamage& layer : damage->layers)
            squares += layer.alone * layer.alone;
        // The layers of the report are the convolutions, the logits the last of them.
        for (std::size_t i = 0; i < damage->layers.size(); ++i) {
            LayerChange& layer = report.layers[i];
            layer.alone = damage->layers[i].alone;
            layer.without = damage->layers[i].without;
            layer.share = squares > 0.0 ? layer.alone * layer.alone / squares : 0.0;
        }
        report.damage = damage->all;
        report.has_damage = true;
        return {};
    });
}

}  // namespace lprnet::measure
