#include "engine/cli/model_file.h"

#include "engine/model/builtin.h"

namespace lprnet::cli {

using weights::SafetensorsFile;

Result<SafetensorsFile> open_model_file(const std::string& path, const Model& model) {
    return path.empty()
               ? SafetensorsFile::from_memory(builtin_model_bytes(model.precision()), model.name())
               : SafetensorsFile::open(path);
}

std::size_t file_bytes(const SafetensorsFile& file) {
    std::size_t bytes = file.data_offset();
    for (const weights::TensorView& tensor : file.tensors()) bytes += tensor.bytes.size();
    return bytes;
}

}  // namespace lprnet::cli
