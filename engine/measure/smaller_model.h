// The weights file of a model that was made smaller, before anybody writes it: what its metadata
// say, the bytes, and the model read back from them. What cannot be loaded is an error here, so
// that it never becomes a file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/compress/prune.h"
#include "engine/compress/quantize.h"
#include "engine/model/graph.h"
#include "lprnet/error.h"
#include "lprnet/model.h"
#include "weights/safetensors.h"

namespace lprnet::measure {

struct SmallerModel {
    std::vector<std::byte> bytes;  // of the file
    Model model;
};

// How it was made, as `lprnet.source` and reports have it. May throw std::bad_alloc.
std::string note_of(const QuantizeMethod& method);
std::string note_of_weights_only(const LayerNames& keep_float);
std::string note_of(const PruneOptions& options);

// `from` is the file that `quantized` was made of, `label` stands for the new one's path. A network
// that is computed in integers gets its fingerprint, computed by `table`; null: it is not one.
Result<SmallerModel> quantized_model(const weights::SafetensorsFile& from,
                                     const QuantizedModel& quantized, const std::string& note,
                                     const std::string& label,
                                     const kernels::KernelTable* table) noexcept;

// `graph` is that of `from` after prune().
Result<SmallerModel> pruned_model(const weights::SafetensorsFile& from, const Graph& graph,
                                  const std::string& note, const std::string& label) noexcept;

}  // namespace lprnet::measure
