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
    // What the views of sparse and of F16 tensors look at; a deque does not move its elements.
    std::deque<weights::SparseTensor> sparse;
    std::deque<weights::SparseParts<weights::Float16>> sparse_f16;
    std::deque<std::vector<weights::Float16>> f16;
};

// All tensors of `file`, the weights of its convolutions taken from `graph`, which build_network
// made from it; each in the smaller of the two forms, and as F16 if it is that in the file and
// still can be, exactly. `file` and `graph` must outlive the result. Errors: those of a file that
// is not the graph's; out_of_memory.
Result<ModelTensors> tensors_with_weights(const weights::SafetensorsFile& file,
                                          const Graph& graph) noexcept;

}  // namespace lprnet
