// How far the outputs of layers go over some images, and where they had better saturate.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/compress/clip.h"
#include "engine/compress/quantized_graph.h"
#include "engine/model/model_data.h"
#include "lprnet/error.h"

namespace lprnet {

struct ActivationRange {
    OutputRange range;
    float largest = 0.0f;  // seen
};

// For every convolution with a ReLU of `model`, by the name of the ReLU. With `equalise`, channels
// of layers that the context does not read get factors, so that all of them go as far.
// Errors: invalid_argument for an input of another size, for layers without any activation.
// May throw std::bad_alloc.
Result<std::map<std::string, ActivationRange>> activation_ranges(
    const ModelData& model, const std::vector<std::vector<float>>& inputs, ClipMethod method,
    bool equalise);

}  // namespace lprnet
