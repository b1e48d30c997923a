// Of several places where a layer's activations could saturate, the one that hurts least.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/compress/activation_ranges.h"
#include "engine/run/network.h"

namespace lprnet {

// Sets each layer's clip to that of its candidates with which, its outputs alone rounded, the
// logits change least: by the sum of squares over some of the inputs, normalized images, NHWC.
// `network` is that in float32, planned without panels; layers go by the names of its steps, and
// every layer of `ranges` has candidates. May throw std::bad_alloc.
void choose_clips(Network& network, const std::vector<std::vector<float>>& inputs,
                  const std::map<std::string, std::vector<float>>& candidates,
                  std::map<std::string, ActivationRange>& ranges);

}  // namespace lprnet
