// The file behind a model, for verbs that write another one.
#pragma once

#include <cstddef>
#include <string>

#include "lprnet/model.h"
#include "weights/safetensors.h"

namespace lprnet::cli {

// `path` as --model gave it, empty for the built-in weights; `model` was loaded from it.
Result<weights::SafetensorsFile> open_model_file(const std::string& path, const Model& model);

std::size_t file_bytes(const weights::SafetensorsFile& file);

}  // namespace lprnet::cli
