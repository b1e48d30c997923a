// What quantization does to a layer's output, done to a layer computed in float32.
#pragma once

#include <vector>

#include "engine/plan/plan.h"

namespace lprnet {

// Rounds the output of `step`, NHWC, just computed in `arena` and at least 0, to whole steps, 255
// at most. `steps` holds what a step is, for each of PyTorch's channels.
void round_output(const Step& step, const std::vector<float>& steps, float* arena);

}  // namespace lprnet
