#include "engine/measure/smaller_model.h"

#include <span>
#include <utility>

#include "engine/boundary.h"
#include "engine/measure/fingerprint.h"
#include "engine/model/model_tensors.h"
#include "engine/text/number_text.h"

namespace lprnet::measure {
namespace {

std::string percent_text(double share) {
    return short_number(100.0 * share) + " %";
}

std::string kept_float(const LayerNames& layers) {
    std::string text;
    for (const std::string& layer : layers) text += ", " + layer + " float32";
    return text;
}

weights::Metadata noted(weights::Metadata metadata, const std::string& note) {
    std::string& source = metadata["lprnet.source"];
    source += (source.empty() ? "" : "; ") + note;
    return metadata;
}

Result<SmallerModel> read_back(std::span<const weights::TensorView> tensors,
                               const weights::Metadata& metadata, const std::string& label) {
    Result<std::vector<std::byte>> bytes = weights::serialize_safetensors(tensors, metadata);
    if (!bytes) return bytes.error();
    Result<Model> model = Model::from_memory(*bytes, label);
    if (!model) return model.error();
    return SmallerModel{std::move(*bytes), std::move(*model)};
}

}  // namespace

std::string note_of(const QuantizeMethod& method) {
    std::string name = "int8, clipped by " + std::string(name_of(method.clip));
    if (!method.equalise && !method.reconstruct) name += ", plain";
    if (method.zero_below > 0.0) name += ", zero below " + short_number(method.zero_below);
    return name + kept_float(method.keep_float);
}

std::string note_of_weights_only(const LayerNames& keep_float) {
    return "int8 weights" + kept_float(keep_float);
}

std::string note_of(const PruneOptions& options) {
    std::string text = "pruned " + percent_text(options.amount) + " by L1 ";
    if (options.unit == PruneUnit::groups) {
        text += "in groups of " + std::to_string(kPruneGroup) + " output channels ";
    }
    text += options.global ? "over all layers" : "per layer";
    for (const auto& [name, amount] : options.layer_amounts) {
        text += ", " + name + " " + percent_text(amount);
    }
    return text;
}

Result<SmallerModel> quantized_model(const weights::SafetensorsFile& from,
                                     const QuantizedModel& quantized, const std::string& note,
                                     const std::string& label,
                                     const kernels::KernelTable* table) noexcept {
    return guarded([&]() -> Result<SmallerModel> {
        weights::Metadata metadata = noted(from.metadata(), note);
        metadata.erase(kFingerprintKey);
        const std::vector<weights::TensorView> views = quantized.views();
        Result<SmallerModel> made = read_back(views, metadata, label);
        if (!made || table == nullptr) return made;
        const Result<std::vector<float>> logits = fingerprint_logits(made->model, *table);
        if (!logits) return logits.error();
        metadata[kFingerprintKey] = fingerprint(*logits);
        return read_back(views, metadata, label);
    });
}

Result<SmallerModel> pruned_model(const weights::SafetensorsFile& from, const Graph& graph,
                                  const std::string& note, const std::string& label) noexcept {
    return guarded([&]() -> Result<SmallerModel> {
        const Result<ModelTensors> tensors = tensors_with_weights(from, graph);
        if (!tensors) return tensors.error();
        return read_back(tensors->views, noted(from.metadata(), note), label);
    });
}

}  // namespace lprnet::measure
