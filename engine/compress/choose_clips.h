// Of several places where a layer's activations could saturate, the one that hurts least.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/compress/activation_ranges.h"
#include "engine/plan/plan.h"

namespace lprnet {

// Sets each layer's clip to that of its candidates with which, its outputs alone rounded, the
// logits change least: by the sum of squares over some of the inputs, normalized images, NHWC.
// `plan` is the network in float32; layers go by the names of its steps, and every layer of
// `ranges` has candidates. May throw std::bad_alloc.
void choose_clips(const Plan& plan, const std::vector<std::vector<float>>& inputs,
                  const std::map<std::string, std::vector<float>>& candidates,
                  std::map<std::string, ActivationRange>& ranges);

}  // namespace lprnet
