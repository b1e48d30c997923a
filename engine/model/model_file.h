// The file behind a model, for who writes another one or wants what a Model does not keep.
#pragma once

#include <cstddef>
#include <string>

#include "lprnet/model.h"
#include "weights/safetensors.h"

namespace lprnet {

struct ModelFile {
    Model model;
    weights::SafetensorsFile file;
};

// From `path`; if that is empty, the built-in weights of that precision. Errors as Model::load().
Result<ModelFile> load_model_file(const std::string& path, const std::string& precision = "fp32");

// `path` is what `model` was loaded from, empty for the built-in weights.
Result<weights::SafetensorsFile> open_model_file(const std::string& path, const Model& model);

std::size_t file_bytes(const weights::SafetensorsFile& file);

}  // namespace lprnet
