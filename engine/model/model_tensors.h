// The tensors of a model file with other convolution weights, ready to be written: what a tool
// that changes weights and nothing else needs.
#pragma once

#include <deque>
#include <vector>

#include "engine/model/graph.h"
#include "lprnet/error.h"
#include "weights/safetensors.h"
#include "weights/sparse.h"

namespace lprnet {

struct ModelTensors {
    // For serialize_safetensors and write_safetensors.
    std::vector<weights::TensorView> views;
    // What the views of sparse tensors look at; a deque does not move its elements.
    std::deque<weights::SparseTensor> sparse;
};

// All tensors of `file`, the weights of its convolutions taken from `graph`, which build_network
// made from it; each in the smaller of the two forms. `file` and `graph` must outlive the result.
// Errors: those of a file that is not the graph's; out_of_memory.
Result<ModelTensors> tensors_with_weights(const weights::SafetensorsFile& file,
                                          const Graph& graph) noexcept;

}  // namespace lprnet
