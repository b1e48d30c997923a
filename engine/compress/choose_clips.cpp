#include "engine/compress/choose_clips.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "engine/compress/round_output.h"

namespace lprnet {
namespace {

// Each takes a pass of the network for every candidate of every layer, half a pass in the mean.
constexpr std::size_t kInputs = 32;
constexpr float kActivationSteps = 255.0f;

// Of each of PyTorch's channels.
std::vector<float> scales_of(const OutputRange& range, float clip, int channels) {
    std::vector<float> scales(static_cast<std::size_t>(channels), clip / kActivationSteps);
    for (std::size_t c = 0; c < range.factor.size(); ++c) scales[c] *= range.factor[c];
    return scales;
}

double squared_difference(std::span<const float> a, const std::vector<float>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    return sum;
}

}  // namespace

void choose_clips(Network& network, const std::vector<std::vector<float>>& inputs,
                  const std::map<std::string, std::vector<float>>& candidates,
                  std::map<std::string, ActivationRange>& ranges) {
    std::map<std::string, std::vector<double>> errors;
    const std::vector<StepInfo>& steps = network.steps();
    const std::span<const float> logits = network.logits();
    const std::size_t count = std::min(inputs.size(), kInputs);
    for (std::size_t i = 0; i < count; ++i) {
        const std::vector<float>& input = inputs[i * inputs.size() / count];
        std::copy(input.begin(), input.end(), network.input().begin());
        network.run();
        const std::vector<float> exact(logits.begin(), logits.end());
        std::copy(input.begin(), input.end(), network.input().begin());
        for (std::size_t s = 0; s < steps.size(); ++s) {
            const StepInfo& step = steps[s];
            network.run_step(s);
            const auto layer = candidates.find(step.name);
            if (layer == candidates.end()) continue;
            std::vector<double>& found = errors[step.name];
            found.resize(layer->second.size());
            const std::vector<float> before(network.arena(),
                                            network.arena() + network.plan().arena_size);
            for (std::size_t k = 0; k < found.size(); ++k) {
                const std::vector<float> scales =
                    scales_of(ranges.at(step.name).range, layer->second[k], step.output.shape.c);
                round_output(network, s, scales);
                for (std::size_t later = s + 1; later < steps.size(); ++later) {
                    network.run_step(later);
                }
                found[k] += squared_difference(logits, exact);
                std::copy(before.begin(), before.end(), network.arena());
            }
        }
    }
    for (const auto& [name, found] : errors) {
        const auto best = std::min_element(found.begin(), found.end()) - found.begin();
        ranges.at(name).range.clip = candidates.at(name)[static_cast<std::size_t>(best)];
    }
}

}  // namespace lprnet
