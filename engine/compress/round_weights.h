// Real weights to integers, so that what a layer computes changes least.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/compress/moments.h"

namespace lprnet {

struct RoundedWeights {
    std::vector<std::int8_t> weight;  // [targets][inputs]
    std::vector<double> step;         // [targets]: real weight / integer
    std::vector<double> bias;         // [targets]
};

// `weight` is [targets][inputs]. The nearest of 255 steps of each target are the start, from which
// one weight after the other moves to where it makes the squared error over the samples smallest,
// until none does: coordinate descent, as in Zhang et al., "COMQ: A Backpropagation-Free Algorithm
// for Post-Training Quantization" (2024). What the inputs have lost already is made up for as far
// as a layer can, and what the weights lose together is in the mean made up for by the bias. A
// weight of 0 stays 0. Steps are no less than `least`, [targets].
RoundedWeights round_weights(const std::vector<double>& weight, const Moments& moments,
                             const std::vector<double>& least);

}  // namespace lprnet
