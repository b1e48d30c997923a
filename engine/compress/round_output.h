// What quantization does to a layer's output, done to a layer computed in float32.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/run/network.h"

namespace lprnet {

// Rounds the output of `step`, NHWC, just computed in `arena` and at least 0, to levels, 255 at
// most. `scales` are those of PyTorch's channels.
void round_output(Network& network, std::size_t step, const std::vector<float>& scales);

}  // namespace lprnet
