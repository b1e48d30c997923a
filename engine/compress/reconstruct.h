// Weights and biases of a quantized network, layer by layer, so that each layer computes what it
// does in the network that was quantized.
#pragma once

#include <vector>

#include "engine/model/graph.h"
#include "engine/model/model_data.h"
#include "kernels/kernel_table.h"
#include "lprnet/error.h"

namespace lprnet {

// Replaces the weights, their steps and the biases of every convolution of `quantized`, which was
// made from `model` and has the steps of the outputs; of those that keep float32 weights the biases
// alone. A layer is fitted to what the layers before it, fitted already, give on `inputs` (as for
// quantize), so that it also makes up for their errors. Weights below the share `zero_below` of the
// largest of their output channel become zero. Takes memory of both networks' activations for each
// input, about 1.6 MB for LPRNet. May throw std::bad_alloc.
Status reconstruct(const ModelData& model, const std::vector<std::vector<float>>& inputs,
                   double zero_below, const kernels::KernelTable& table, Graph& quantized);

}  // namespace lprnet
