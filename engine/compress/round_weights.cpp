#include "engine/compress/round_weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/model/quantization.h"

namespace lprnet {
namespace {

constexpr double kSteps = kMostWeight;
// Sweeps over all weights; few still move after the third.
constexpr int kSweeps = 4;
// Share of the mean square of an input that is added to each input's own, for the weights' sake:
// it keeps them near the real ones where samples say little.
constexpr double kDamping = 0.01;

double mean_square(const Moments& m) {
    double sum = 0.0;
    for (std::size_t i = 0; i < m.inputs; ++i) {
        sum += static_cast<double>(m.inputs_inputs[i * m.inputs + i]);
    }
    return sum / static_cast<double>(m.inputs);
}

// Minimizes q H q / 2 - g q for each target over integers q: `gradient` is [targets][inputs],
// g - H q in steps, and follows q.
void descend(const std::vector<float>& h, float damping, const std::vector<double>& weight,
             std::vector<float>& gradient, std::vector<float>& q, std::size_t inputs) {
    const std::size_t targets = q.size() / inputs;
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
        bool moved = false;
        for (std::size_t k = 0; k < inputs; ++k) {
            const float* row = h.data() + k * inputs;
            const float own = row[k] + damping;
            for (std::size_t t = 0; t < targets; ++t) {
                float& value = q[t * inputs + k];
                float* slope = gradient.data() + t * inputs;
                if (weight[t * inputs + k] == 0.0) continue;
                const float best =
                    std::clamp(std::nearbyint(value + slope[k] / own), -static_cast<float>(kSteps),
                               static_cast<float>(kSteps));
                const float change = best - value;
                if (change == 0.0f) continue;
                for (std::size_t j = 0; j < inputs; ++j) slope[j] -= change * row[j];
                slope[k] -= change * damping;
                value = best;
                moved = true;
            }
        }
        if (!moved) return;
    }
}

}  // namespace

RoundedWeights round_weights(const std::vector<double>& weight, const Moments& moments,
                             const std::vector<double>& least) {
    const std::size_t inputs = moments.inputs, targets = moments.targets;
    const double damping = std::max(kDamping * mean_square(moments), 1e-9);
    RoundedWeights rounded;
    std::vector<float> q(weight.size()), gradient(weight.size());
    for (std::size_t t = 0; t < targets; ++t) {
        double largest = 0.0;
        for (std::size_t k = 0; k < inputs; ++k) {
            largest = std::max(largest, std::abs(weight[t * inputs + k]));
        }
        double step = std::max(largest / kSteps, least[t]);
        if (!(step > 0.0)) step = 1.0;
        rounded.step.push_back(step);
        for (std::size_t k = 0; k < inputs; ++k) {
            const std::size_t i = t * inputs + k;
            const double exact = weight[i] / step;
            const double nearest = std::clamp(std::nearbyint(exact), -kSteps, kSteps);
            q[i] = static_cast<float>(nearest);
            gradient[i] = static_cast<float>(static_cast<double>(moments.targets_inputs[i]) / step +
                                             damping * (exact - nearest));
        }
    }
    for (std::size_t k = 0; k < inputs; ++k) {
        const float* row = moments.inputs_inputs.data() + k * inputs;
        for (std::size_t t = 0; t < targets; ++t) {
            const float value = q[t * inputs + k];
            if (value == 0.0f) continue;
            float* slope = gradient.data() + t * inputs;
            for (std::size_t j = 0; j < inputs; ++j) slope[j] -= value * row[j];
        }
    }
    descend(moments.inputs_inputs, static_cast<float>(damping), weight, gradient, q, inputs);
    for (std::size_t t = 0; t < targets; ++t) {
        double sum = 0.0;
        for (std::size_t k = 0; k < inputs; ++k) {
            sum += static_cast<double>(q[t * inputs + k]) * moments.input_mean[k];
        }
        rounded.bias.push_back(moments.target_mean[t] - rounded.step[t] * sum);
    }
    for (const float value : q) rounded.weight.push_back(static_cast<std::int8_t>(value));
    return rounded;
}

}  // namespace lprnet
