// Files of quantized and pruned models: their metadata, their fingerprint, and that they are read
// back before anybody has them.
#include "engine/measure/smaller_model.h"

#include <random>

#include "engine/measure/fingerprint.h"
#include "engine/model/model_file.h"
#include "kernels/dispatch.h"
#include "tests/catch.h"
#include "tests/kernels/tables.h"

namespace lprnet::measure {
namespace {

ModelFile shipped(const char* path) {
    Result<ModelFile> file = load_model_file(path);
    if (!file) FAIL(file.error().message);
    return std::move(*file);
}

std::vector<std::vector<float>> noise(const Model& model) {
    std::mt19937 random(5);
    std::vector<float> image(static_cast<std::size_t>(model.input_width()) *
                             static_cast<std::size_t>(model.input_height()) * 3);
    for (float& value : image) value = test::uniform(random, -1.0f, 1.0f);
    return {image};
}

weights::Metadata metadata_of(const SmallerModel& made) {
    const Result<weights::SafetensorsFile> file =
        weights::SafetensorsFile::from_memory(made.bytes, "made");
    if (!file) FAIL(file.error().message);
    return file->metadata();
}

TEST_CASE("a quantized file says how it was made and has the fingerprint of its bits",
          "[measure]") {
    const ModelFile from = shipped(LPRNET_WEIGHTS_FILE);
    QuantizeMethod method;
    method.clip = ClipMethod::max;
    method.keep_float = {"backbone.20"};
    const Result<QuantizedModel> quantized = quantize(from.model.data(), noise(from.model), method);
    REQUIRE(quantized.ok());
    const kernels::KernelTable& reference = *kernels::find_isa("reference")->table;
    const Result<SmallerModel> made =
        quantized_model(from.file, *quantized, note_of(method), "made", &reference);
    if (!made) FAIL(made.error().message);
    const weights::Metadata metadata = metadata_of(*made);
    CHECK(metadata.at("lprnet.source") ==
          from.file.metadata().at("lprnet.source") + "; int8, clipped by max, backbone.20 float32");
    const Result<std::vector<float>> logits = fingerprint_logits(made->model, reference);
    REQUIRE(logits.ok());
    CHECK(metadata.at(kFingerprintKey) == fingerprint(*logits));

    // Computed in float32, it has none, whatever the file that it came from had.
    const Result<SmallerModel> without =
        quantized_model(from.file, *quantized, "n", "made", nullptr);
    REQUIRE(without.ok());
    CHECK_FALSE(metadata_of(*without).contains(kFingerprintKey));
}

TEST_CASE("weights alone in int8, and what the note says of the others", "[measure]") {
    const ModelFile from = shipped(LPRNET_WEIGHTS_FILE);
    const LayerNames keep = {"container.0", "backbone.0"};
    const Result<QuantizedModel> quantized = quantize_weights(from.file, from.model.data(), keep);
    REQUIRE(quantized.ok());
    const Result<SmallerModel> made =
        quantized_model(from.file, *quantized, note_of_weights_only(keep), "made", nullptr);
    if (!made) FAIL(made.error().message);
    CHECK(made->bytes.size() < file_bytes(from.file) * 6 / 10);
    CHECK(metadata_of(*made)
              .at("lprnet.source")
              .ends_with("; int8 weights, backbone.0 float32, container.0 float32"));
}

TEST_CASE("a pruned file has the zeros and everything else of the one before", "[measure]") {
    const ModelFile from = shipped(LPRNET_WEIGHTS_FILE);
    PruneOptions options;
    options.amount = 0.5;
    options.unit = PruneUnit::groups;
    options.layer_amounts = {{"backbone.16", 0.25}};
    Graph graph = from.model.data().graph;
    const Result<std::vector<PrunedLayer>> layers = prune(graph, options);
    REQUIRE(layers.ok());
    const Result<SmallerModel> made = pruned_model(from.file, graph, note_of(options), "made");
    if (!made) FAIL(made.error().message);
    CHECK(
        metadata_of(*made)
            .at("lprnet.source")
            .ends_with(
                "; pruned 50 % by L1 in groups of 16 output channels per layer, backbone.16 25 %"));
    CHECK(made->model.charset().size() == from.model.charset().size());
    std::size_t zeros = 0, expected = 0;
    for (const PrunedLayer& layer : *layers) expected += layer.zeros;
    for (const Node& node : made->model.data().graph.nodes) {
        if (node.op != Op::conv2d) continue;
        for (std::size_t i = 0; i < node.weight.size(); ++i) zeros += node.weight[i] == 0.0f;
    }
    CHECK(zeros == expected);
    CHECK(expected > 200'000);
}

TEST_CASE("tensors that are no model never become one", "[measure]") {
    const ModelFile from = shipped(LPRNET_WEIGHTS_FILE);
    Result<QuantizedModel> quantized = quantize_weights(from.file, from.model.data());
    REQUIRE(quantized.ok());
    quantized->tensors.pop_back();
    const Result<SmallerModel> made = quantized_model(from.file, *quantized, "n", "made", nullptr);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().message.find("made") == 0);
}

}  // namespace
}  // namespace lprnet::measure
