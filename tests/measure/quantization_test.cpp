// What the report of a quantization counts, and inputs that do not fit.
#include "engine/measure/quantization.h"

#include <cmath>
#include <limits>

#include "engine/model/model_data.h"
#include "kernels/dispatch.h"
#include "tests/catch.h"
#include "tests/measure/stopping.h"
#include "tests/network/random_network.h"
#include "weights/safetensors.h"

namespace lprnet::measure {
namespace {

const kernels::KernelTable& table = kernels::best_table(kernels::detect_cpu_features());

Recognizer recognizer_of(const Model& model) {
    Result<Recognizer> recognizer = Recognizer::create(model);
    if (!recognizer) FAIL(recognizer.error().message);
    return std::move(*recognizer);
}

Inputs noise(const Model& model, std::size_t images) {
    const Shape shape = model.data().graph.input_shape();
    Inputs inputs(images);
    std::uint32_t state = 3;
    for (std::vector<float>& input : inputs) {
        input.resize(static_cast<std::size_t>(shape.c * shape.h * shape.w));
        for (float& value : input) {
            state = state * 1664525U + 1013904223U;
            value = (static_cast<float>(state >> 24) - 127.5f) * 0.0078125f;
        }
    }
    return inputs;
}

struct Quantized {
    Model before = test::random_model({.classes = 8, .width = 0.2});
    Inputs inputs = noise(before, 3);
    QuantizedModel made;
    Model after = before;

    Quantized() {
        Result<QuantizedModel> quantized = quantize(before.data(), inputs, {});
        if (!quantized) FAIL(quantized.error().message);
        made = std::move(*quantized);
        weights::Metadata metadata = test::random_network({.classes = 8, .width = 0.2}).metadata;
        const auto bytes = weights::serialize_safetensors(made.views(), metadata);
        if (!bytes) FAIL(bytes.error().message);
        Result<Model> loaded = Model::from_memory(*bytes, "quantized");
        if (!loaded) FAIL(loaded.error().message);
        after = std::move(*loaded);
    }
};

TEST_CASE("a network is equal to itself", "[measure]") {
    const Quantized q;
    Recognizer first = recognizer_of(q.before), second = recognizer_of(q.before);
    test::CountedProgress progress;
    const Result<QuantizationReport> report =
        compare_networks(first, second, q.made.layers, q.inputs, progress);
    if (!report) FAIL(report.error().message);
    CHECK(report->images == 3);
    CHECK(report->texts_changed == 0);
    CHECK(progress.done == 3);
    CHECK(progress.announced == 3);
    for (const LayerChange& layer : report->layers) {
        CHECK(layer.error == 0.0);
        CHECK(layer.relative_error() == 0.0);
        CHECK(std::abs(layer.cosine() - 1.0) < 1e-12);
    }
}

TEST_CASE("quantizing changes every layer a little", "[measure]") {
    const Quantized q;
    Recognizer before = recognizer_of(q.before), after = recognizer_of(q.after);
    Progress silent;
    Result<QuantizationReport> report =
        compare_networks(before, after, q.made.layers, q.inputs, silent);
    if (!report) FAIL(report.error().message);
    REQUIRE(report->layers.size() == q.made.layers.size());
    for (const LayerChange& layer : report->layers) {
        INFO(layer.layer.name);
        CHECK(layer.exact > 0.0);
        CHECK(layer.error > 0.0);
        CHECK(layer.relative_error() < 0.5);
        CHECK(layer.cosine() > 0.8);
        CHECK_FALSE(layer.kernel.empty());
        CHECK(layer.type == "conv2d");
    }
    CHECK_FALSE(report->has_damage);
    REQUIRE(add_damage(q.before, q.after, q.inputs, table, *report).ok());
    CHECK(report->has_damage);
    CHECK(report->damage > 0.0);
    double shares = 0.0;
    for (const LayerChange& layer : report->layers) shares += layer.share;
    CHECK(std::abs(shares - 1.0) < 1e-9);
}

TEST_CASE("a comparison of no image says nothing", "[measure]") {
    const Quantized q;
    Recognizer before = recognizer_of(q.before), after = recognizer_of(q.after);
    Progress silent;
    const Result<QuantizationReport> report =
        compare_networks(before, after, q.made.layers, {}, silent);
    REQUIRE(report.ok());
    CHECK(report->images == 0);
    for (const LayerChange& layer : report->layers) {
        CHECK(layer.cosine() == 1.0);
        CHECK(layer.relative_error() == 0.0);
    }
}

TEST_CASE("inputs of another size are refused", "[measure]") {
    const Quantized q;
    Recognizer before = recognizer_of(q.before), after = recognizer_of(q.after);
    Progress silent;
    for (const std::size_t change : {0, 1, 2}) {
        Inputs inputs = q.inputs;
        if (change == 0) inputs[1].pop_back();
        if (change == 1) inputs[1].push_back(0.0f);
        if (change == 2) inputs[1].clear();
        const Result<QuantizationReport> report =
            compare_networks(before, after, q.made.layers, inputs, silent);
        REQUIRE_FALSE(report.ok());
        CHECK(report.error().code == ErrorCode::mismatch);
        CHECK_THAT(report.error().message, test::starts_with("input 2: expected "));
        QuantizationReport damaged;
        CHECK(add_damage(q.before, q.after, inputs, table, damaged).error().code ==
              ErrorCode::mismatch);
    }
}

TEST_CASE("networks of other layers are refused", "[measure]") {
    const Quantized q;
    Progress silent;
    Recognizer before = recognizer_of(q.before);
    Recognizer wider = recognizer_of(test::random_model({.classes = 8, .width = 0.4}));
    const Result<QuantizationReport> report =
        compare_networks(before, wider, q.made.layers, q.inputs, silent);
    REQUIRE_FALSE(report.ok());
    CHECK_THAT(report.error().message, test::contains("other shapes before and after"));
    Recognizer gray =
        recognizer_of(test::random_model({.channels = 1, .classes = 8, .width = 0.2}));
    CHECK(compare_networks(before, gray, q.made.layers, q.inputs, silent).error().code ==
          ErrorCode::mismatch);
    // The report of another quantization.
    QuantizationReport none;
    CHECK_THAT(add_damage(q.before, q.after, q.inputs, table, none).error().message,
               test::contains("expected 0 layers"));
}

TEST_CASE("inputs that are not numbers do no harm", "[measure]") {
    const Quantized q;
    Recognizer before = recognizer_of(q.before), after = recognizer_of(q.after);
    Progress silent;
    Inputs inputs = q.inputs;
    inputs[0][7] = std::numeric_limits<float>::quiet_NaN();
    inputs[1].assign(inputs[1].size(), std::numeric_limits<float>::infinity());
    const Result<QuantizationReport> report =
        compare_networks(before, after, q.made.layers, inputs, silent);
    REQUIRE(report.ok());
    CHECK(report->images == 3);
}

TEST_CASE("a comparison can be stopped", "[measure]") {
    const Quantized q;
    Recognizer before = recognizer_of(q.before), after = recognizer_of(q.after);
    test::CountedProgress progress(2);
    const Result<QuantizationReport> report =
        compare_networks(before, after, q.made.layers, q.inputs, progress);
    REQUIRE_FALSE(report.ok());
    CHECK(report.error().message == stopped().message);
}

}  // namespace
}  // namespace lprnet::measure
