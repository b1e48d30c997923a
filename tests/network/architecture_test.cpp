// Another network of the same kinds of layers, of which the engine knows nothing but a table that
// stands here: in float32 and quantized, against an interpreter of its graph.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "engine/compress/quantize.h"
#include "engine/run/network.h"
#include "tests/kernels/tables.h"
#include "tests/network/compare.h"
#include "tests/network/oracle.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

// Fewer layers than LPRNet has, other names, three branches.
// clang-format off
constexpr LayerRow kSlimLayers[] = {
    {.name = "stem",       .op = Op::conv2d},
    {.name = "stem_norm",  .op = Op::batch_norm},
    {.name = "stem_relu",  .op = Op::relu},
    {.name = "pool0",      .op = Op::max_pool, .window = {3, 3}, .stride = {1, 1}},
    {.name = "wide",       .op = Op::conv2d, .padding = Padding::same},
    {.name = "wide_relu",  .op = Op::relu},
    {.name = "pool1",      .op = Op::max_pool, .window = {3, 3}, .stride = {1, 2}, .channel_stride = 2},
    {.name = "narrow",     .op = Op::conv2d},
    {.name = "narrow_norm",.op = Op::batch_norm},
    {.name = "narrow_relu",.op = Op::relu},
    {.name = "pool2",      .op = Op::max_pool, .window = {3, 3}, .stride = {1, 2}},
    {.name = "head",       .op = Op::conv2d},
    {.name = "head_relu",  .op = Op::relu},
    {.name = "last",       .op = Op::conv2d},
    {.name = "last_relu",  .op = Op::relu},
    {.name = "tap0_pool",  .op = Op::average_pool, .from = {"stem_relu"},   .window = {5, 5},  .stride = {5, 5}},
    {.name = "tap0",       .op = Op::normalize},
    {.name = "tap1_pool",  .op = Op::average_pool, .from = {"narrow_relu"}, .window = {4, 10}, .stride = {4, 2}},
    {.name = "tap1",       .op = Op::normalize},
    {.name = "tap2",       .op = Op::normalize,    .from = {"last_relu"}},
    {.name = "joined",     .op = Op::concat,       .from = {"tap0", "tap1", "tap2"}},
    {.name = "classes",    .op = Op::conv2d},
    {.name = "scores",     .op = Op::mean_height},
};
// clang-format on

const std::vector<Architecture>& known() {
    static const std::vector<Architecture> both = {architectures().front(), {"Slim", kSlimLayers}};
    return both;
}

constexpr int kClasses = 9;

NetworkFile slim_file() {
    std::mt19937 random(5);
    NetworkFile file = random_network({.classes = kClasses, .width = 0.25});  // for its metadata
    file.tensors.clear();
    file.metadata["lprnet.architecture"] = "Slim";
    const auto add = [&](const std::string& name, std::vector<std::int64_t> shape, float low,
                         float high) {
        std::size_t size = 1;
        for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
        OwnedTensor tensor = {std::move(shape), std::vector<float>(size)};
        for (float& value : tensor.values) value = uniform(random, low, high);
        file.tensors[name] = std::move(tensor);
    };
    const auto conv2d = [&](const std::string& name, int oc, int ic, int kh, int kw) {
        const float limit = std::sqrt(6.0f / static_cast<float>(ic * kh * kw));
        add(name + ".weight", {oc, ic, kh, kw}, -limit, limit);
        add(name + ".bias", {oc}, -0.1f, 0.1f);
    };
    const auto batch_norm = [&](const std::string& name, int channels) {
        add(name + ".weight", {channels}, 0.5f, 1.5f);
        add(name + ".bias", {channels}, -0.2f, 0.2f);
        add(name + ".running_mean", {channels}, -0.2f, 0.2f);
        add(name + ".running_var", {channels}, 0.5f, 1.5f);
    };
    conv2d("stem", 12, 3, 3, 3);
    batch_norm("stem_norm", 12);
    conv2d("wide", 20, 12, 3, 1);
    conv2d("narrow", 16, 10, 1, 1);
    batch_norm("narrow_norm", 16);
    conv2d("head", 24, 16, 1, 4);
    conv2d("last", kClasses, 24, 13, 1);
    conv2d("classes", kClasses, 12 + 16 + kClasses, 1, 1);
    return file;
}

Result<ModelData> read(const std::vector<std::byte>& bytes,
                       std::span<const Architecture> architectures) {
    const Result<weights::SafetensorsFile> file =
        weights::SafetensorsFile::from_memory(bytes, "the file");
    if (!file) FAIL(file.error().message);
    return read_model(*file, "the file", false, architectures);
}

ModelData slim_model() {
    Result<ModelData> model = read(slim_file().bytes(), known());
    if (!model) FAIL(model.error().message);
    return std::move(*model);
}

// Pixels as a picture has them, NHWC.
std::vector<float> random_image(const Shape& shape, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> image(static_cast<std::size_t>(shape.c * shape.h * shape.w));
    for (float& x : image) x = (static_cast<float>(random() % 256) - 127.5f) * 0.0078125f;
    return image;
}

// Every step that the graph has, in every table, against the interpreter.
void check_steps(const Graph& graph, const std::vector<float>& image) {
    const auto channels = static_cast<std::size_t>(graph.input_shape().c);
    std::vector<double> planes(image.size());
    for (std::size_t i = 0; i < image.size(); ++i) {
        planes[i % channels * (image.size() / channels) + i / channels] = double{image[i]};
    }
    const auto expected = run_oracle(graph, planes);
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Result<Network> network = Network::create(graph, *table);
        if (!network) FAIL(network.error().message);
        std::copy(image.begin(), image.end(), network->input().begin());
        int compared = 0;
        for (std::size_t s = 0; s < network->steps().size(); ++s) {
            const StepInfo& step = network->steps()[s];
            network->run_step(s);
            if (step.op == Op::context_tap || step.op == Op::concat) continue;  // the plan's own
            const OracleTensor& tensor = expected.at(step.name);
            const std::size_t plane =
                tensor.values.size() / static_cast<std::size_t>(tensor.shape.c);
            const Agreement a = agreement(*network, s, [&](std::size_t i) {
                return tensor.values[i] *
                       (tensor.factors.empty() ? 1.0 : tensor.factors[i / plane]);
            });
            INFO("layer " << step.name << ": max abs " << a.max_abs << ", cosine " << a.cosine);
            if (step.output.has_levels()) {
                CHECK(a.max_abs == 0.0);
            } else {
                CHECK(a.cosine >= 0.999999);
            }
            ++compared;
        }
        CHECK(network->steps().back().name == "scores");
        CHECK(compared >= 9);  // five convolutions, three pools, the scores
    }
}

TEST_CASE("another network is a table: in float32", "[network]") {
    const ModelData model = slim_model();
    CHECK(model.architecture == "Slim");
    CHECK(model.graph.output_shape() == Shape{kClasses, 1, 18});
    check_steps(model.graph, random_image(model.graph.input_shape(), 3));
}

TEST_CASE("another network is a table: quantized", "[network]") {
    const ModelData model = slim_model();
    const Shape shape = model.graph.input_shape();
    Result<QuantizedModel> quantized =
        quantize(model, {random_image(shape, 11), random_image(shape, 12)});
    if (!quantized) FAIL(quantized.error().message);
    const auto bytes = weights::serialize_safetensors(quantized->views(), slim_file().metadata);
    REQUIRE(bytes.ok());
    const Result<ModelData> small = read(*bytes, known());
    if (!small) FAIL(small.error().message);
    CHECK(small->architecture == "Slim");
    CHECK(small->graph.quantized());
    check_steps(small->graph, random_image(shape, 3));
}

TEST_CASE("a file is built from the table that it names and no other", "[network]") {
    NetworkFile slim = slim_file();
    // Nobody knows it but this test.
    const Result<Model> model = Model::from_memory(slim.bytes(), "the file");
    REQUIRE_FALSE(model.ok());
    CHECK(model.error().message ==
          "the file: metadata 'lprnet.architecture' is 'Slim', expected 'LPRNet'");

    slim.metadata["lprnet.architecture"] = "slim";
    const Result<ModelData> other = read(slim.bytes(), known());
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().message ==
          "the file: metadata 'lprnet.architecture' is 'slim', expected 'LPRNet' or 'Slim'");

    slim.metadata["lprnet.architecture"] = "LPRNet";
    const Result<ModelData> wrong = read(slim.bytes(), known());
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().message == "the file: tensor 'backbone.0.weight' is missing");

    slim = slim_file();
    slim.tensors["backbone.0.bias"] = {{1}, {0.0f}};
    const Result<ModelData> more = read(slim.bytes(), known());
    REQUIRE_FALSE(more.ok());
    CHECK(more.error().message == "the file: tensor 'backbone.0.bias' does not belong to Slim");

    // A layer that says it is quantized needs the first one of this table to say so.
    slim = slim_file();
    slim.tensors["head.output.scale"] = {{1}, {0.5f}};
    const Result<ModelData> half = read(slim.bytes(), known());
    REQUIRE_FALSE(half.ok());
    CHECK(half.error().message.find("'stem.output.scale' does not say") != std::string::npos);

    NetworkFile lprnet = random_network({.classes = kClasses, .width = 0.25});
    const Result<ModelData> unnamed = read(lprnet.bytes(), known());
    REQUIRE(unnamed.ok());
    CHECK(unnamed->architecture == "LPRNet");
    lprnet.metadata["lprnet.architecture"] = "Slim";
    const Result<ModelData> renamed = read(lprnet.bytes(), known());
    REQUIRE_FALSE(renamed.ok());
    CHECK(renamed.error().message == "the file: tensor 'stem.weight' is missing");
}

}  // namespace
}  // namespace lprnet::test
