// Of several places where a layer's activations could saturate, the one that hurts least.
#pragma once

#include <vector>

#include "engine/compress/activation_ranges.h"
#include "engine/run/network.h"

namespace lprnet {

// Sets each layer's clip to that of its candidates with which, its outputs alone rounded, the
// logits change least: by the sum of squares over some of the inputs, normalized images, NHWC.
// `network` is that in float32, planned without panels. Candidates and ranges are by Node::layer;
// a layer without candidates stays as it is. May throw std::bad_alloc.
void choose_clips(Network& network, const std::vector<std::vector<float>>& inputs,
                  const std::vector<std::vector<float>>& candidates,
                  std::vector<ActivationRange>& ranges);

}  // namespace lprnet
