// The numbers of int8's convolutions: what a file says of them in real values, as the kernels take
// it; refused where a sum could leave their range.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/graph.h"
#include "lprnet/error.h"

namespace lprnet {

// Bias and scale of each stored output channel of a layer with int8 weights, in the integers of
// kernels::Conv2dS8. `input_scale` is what 1 of its input is. Fails where a sum of the largest
// activations could leave 32 bits, or its product with the scale.
struct Requantization {
    std::vector<std::int32_t> bias;
    std::vector<float> scale;
};
Result<Requantization> requantization(const Node& conv, double input_scale);

// The bias of a layer with float32 weights in steps of the output, by stored output channel. Its
// weights are to be multiplied by `factor` for that. Fails where a sum of the largest activations
// could leave the range of float32.
Result<std::vector<float>> bias_in_levels(const Node& conv, double factor);

}  // namespace lprnet
