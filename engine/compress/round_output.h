// What quantization does to a layer's output, done to a layer computed in float32.
#pragma once

#include <vector>

#include "engine/plan/plan.h"

namespace lprnet {

// Rounds the output of `step`, NHWC, just computed in `arena` and at least 0, to levels, 255 at
// most. `scales` are those of PyTorch's channels.
void round_output(const Step& step, const std::vector<float>& scales, float* arena);

}  // namespace lprnet
