#include "engine/compress/choose_clips.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "engine/compress/round_output.h"
#include "engine/model/quantization.h"

namespace lprnet {
namespace {

// Each takes a pass of the network for every candidate of every layer, half a pass in the mean.
constexpr std::size_t kInputs = 32;

// Of each of PyTorch's channels.
std::vector<float> scales_of(const OutputRange& range, float clip, int channels) {
    std::vector<float> scales(static_cast<std::size_t>(channels),
                              clip / static_cast<float>(kMostLevel));
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
                  const std::vector<std::vector<float>>& candidates,
                  std::vector<ActivationRange>& ranges) {
    std::vector<std::vector<double>> errors(candidates.size());
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
            if (step.op != Op::conv2d) continue;
            const auto layer = static_cast<std::size_t>(step.layer);
            std::vector<double>& found = errors[layer];
            found.resize(candidates[layer].size());
            if (found.empty()) continue;
            const std::vector<float> before(network.arena(),
                                            network.arena() + network.plan().arena_size);
            for (std::size_t k = 0; k < found.size(); ++k) {
                const std::vector<float> scales =
                    scales_of(ranges[layer].range, candidates[layer][k], step.output.shape.c);
                round_output(network, s, scales);
                for (std::size_t later = s + 1; later < steps.size(); ++later) {
                    network.run_step(later);
                }
                found[k] += squared_difference(logits, exact);
                std::copy(before.begin(), before.end(), network.arena());
            }
        }
    }
    for (std::size_t layer = 0; layer < errors.size(); ++layer) {
        const std::vector<double>& found = errors[layer];
        if (found.empty()) continue;
        const auto best = std::min_element(found.begin(), found.end()) - found.begin();
        ranges[layer].range.clip = candidates[layer][static_cast<std::size_t>(best)];
    }
}

}  // namespace lprnet
