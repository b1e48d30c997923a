#include "engine/model/model_file.h"

#include <utility>

#include "engine/model/builtin.h"
#include "engine/model/model_data.h"

namespace lprnet {

using weights::SafetensorsFile;

Result<SafetensorsFile> open_model_file(const std::string& path, const Model& model) {
    if (!path.empty()) return SafetensorsFile::open(path);
    const char* precision = model.data().graph.quantized() ? "int8" : "fp32";
    return SafetensorsFile::from_memory(builtin_model_bytes(precision), model.name());
}

Result<ModelFile> load_model_file(const std::string& path, const std::string& precision) {
    Result<Model> model = path.empty() ? Model::builtin(precision) : Model::load(path);
    if (!model) return model.error();
    Result<SafetensorsFile> file = open_model_file(path, *model);
    if (!file) return file.error();
    return ModelFile{std::move(*model), std::move(*file)};
}

std::size_t file_bytes(const SafetensorsFile& file) {
    std::size_t bytes = file.data_offset();
    for (const weights::TensorView& tensor : file.tensors()) bytes += tensor.bytes.size();
    return bytes;
}

}  // namespace lprnet
