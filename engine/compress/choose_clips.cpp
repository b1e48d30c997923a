#include "engine/compress/choose_clips.h"

#include <algorithm>
#include <cstddef>

#include "engine/compress/round_output.h"
#include "engine/run/run.h"
#include "kernels/aligned_buffer.h"

namespace lprnet {
namespace {

// Each takes a pass of the network for every candidate of every layer, half a pass in the mean.
constexpr std::size_t kInputs = 32;
constexpr float kActivationSteps = 255.0f;

// What a step is, for each of PyTorch's channels.
std::vector<float> steps_of(const OutputRange& range, float clip, int channels) {
    std::vector<float> steps(static_cast<std::size_t>(channels), clip / kActivationSteps);
    for (std::size_t c = 0; c < range.factor.size(); ++c) steps[c] *= range.factor[c];
    return steps;
}

double squared_difference(const float* a, const std::vector<float>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    return sum;
}

}  // namespace

void choose_clips(const Plan& plan, const std::vector<std::vector<float>>& inputs,
                  const std::map<std::string, std::vector<float>>& candidates,
                  std::map<std::string, ActivationRange>& ranges) {
    std::map<std::string, std::vector<double>> errors;
    kernels::AlignedBuffer arena(plan.arena_size);
    const float* logits = plan.output.floats(arena.data());
    const std::size_t count = std::min(inputs.size(), kInputs);
    for (std::size_t i = 0; i < count; ++i) {
        const std::vector<float>& input = inputs[i * inputs.size() / count];
        std::copy(input.begin(), input.end(), plan.input.floats(arena.data()));
        run_plan(plan, arena.data());
        const std::vector<float> exact(logits, logits + plan.output.size());
        std::copy(input.begin(), input.end(), plan.input.floats(arena.data()));
        for (auto step = plan.steps.begin(); step != plan.steps.end(); ++step) {
            run_step(plan, *step, arena.data());
            const auto layer = candidates.find(step->name);
            if (layer == candidates.end()) continue;
            std::vector<double>& found = errors[step->name];
            found.resize(layer->second.size());
            const std::vector<float> before(arena.data(), arena.data() + plan.arena_size);
            for (std::size_t k = 0; k < found.size(); ++k) {
                const std::vector<float> steps =
                    steps_of(ranges.at(step->name).range, layer->second[k], step->output.c);
                round_output(*step, steps, arena.data());
                for (auto later = step + 1; later != plan.steps.end(); ++later) {
                    run_step(plan, *later, arena.data());
                }
                found[k] += squared_difference(logits, exact);
                std::copy(before.begin(), before.end(), arena.data());
            }
        }
    }
    for (const auto& [name, found] : errors) {
        const auto best = std::min_element(found.begin(), found.end()) - found.begin();
        ranges.at(name).range.clip = candidates.at(name)[static_cast<std::size_t>(best)];
    }
}

}  // namespace lprnet
