#include "engine/cli/model_file.h"

#include "engine/model/builtin.h"
#include "engine/model/model_data.h"

namespace lprnet::cli {

using weights::SafetensorsFile;

Result<SafetensorsFile> open_model_file(const std::string& path, const Model& model) {
    if (!path.empty()) return SafetensorsFile::open(path);
    const char* precision = model.data().graph.quantized() ? "int8" : "fp32";
    return SafetensorsFile::from_memory(builtin_model_bytes(precision), model.name());
}

std::size_t file_bytes(const SafetensorsFile& file) {
    std::size_t bytes = file.data_offset();
    for (const weights::TensorView& tensor : file.tensors()) bytes += tensor.bytes.size();
    return bytes;
}

}  // namespace lprnet::cli
