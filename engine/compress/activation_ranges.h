// How far the outputs of layers go over some images, and where they had better saturate.
#pragma once

#include <vector>

#include "engine/compress/clip.h"
#include "engine/compress/quantized_graph.h"
#include "engine/model/model_data.h"
#include "kernels/kernel_table.h"
#include "lprnet/error.h"

namespace lprnet {

struct ActivationRange {
    OutputRange range;
    float largest = 0.0f;  // seen
};

// By Node::layer, for every convolution with a ReLU of `model`; nothing was seen of others. With
// `equalise`, channels of layers that the context does not read get factors, so that all of them go
// as far. Errors: invalid_argument for an input of another size, for layers without any activation.
// May throw std::bad_alloc.
Result<std::vector<ActivationRange>> activation_ranges(
    const ModelData& model, const std::vector<std::vector<float>>& inputs, ClipMethod method,
    bool equalise, const kernels::KernelTable& table);

}  // namespace lprnet
