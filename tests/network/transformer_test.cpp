// A spatial transformer in front of the network: the file, the plan, and what it does to a picture.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "engine/compress/layer_names.h"
#include "engine/compress/prune.h"
#include "engine/compress/quantize.h"
#include "engine/model/model_tensors.h"
#include "engine/plan/plan.h"
#include "tests/allocation_counter.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

constexpr RandomNetwork kWith = {.classes = 7, .width = 0.25, .seed = 3, .transformer = true};
constexpr RandomNetwork kWithout = {.classes = 7, .width = 0.25, .seed = 3};

void check_refused(const NetworkFile& file, const std::string& message) {
    const Result<Model> model = Model::from_memory(file.bytes(), "the file");
    REQUIRE_FALSE(model.ok());
    CHECK(model.error().code == ErrorCode::mismatch);
    CHECK(model.error().message == "the file: " + message);
}

Model loaded(const NetworkFile& file) {
    Result<Model> model = Model::from_memory(file.bytes(), "the file");
    if (!model) FAIL(model.error().message);
    return *model;
}

std::vector<float> random_image(const Shape& shape, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> image(static_cast<std::size_t>(shape.c * shape.h * shape.w));
    for (float& x : image) x = (static_cast<float>(random() % 256) - 127.5f) * 0.0078125f;
    return image;
}

// The map is `theta` for every picture.
void set_map(NetworkFile& file, const std::vector<float>& theta) {
    std::vector<float>& weight = file.tensors.at("transformer.fc_loc.2.weight").values;
    std::fill(weight.begin(), weight.end(), 0.0f);
    file.tensors.at("transformer.fc_loc.2.bias").values = theta;
}

Model quantized(const NetworkFile& file) {
    const Model model = loaded(file);
    const Shape shape = model.data().graph.input_shape();
    Result<QuantizedModel> made =
        quantize(model.data(), {random_image(shape, 1), random_image(shape, 2)});
    if (!made) FAIL(made.error().message);
    const auto bytes = weights::serialize_safetensors(made->views(), file.metadata);
    REQUIRE(bytes.ok());
    Result<Model> small = Model::from_memory(*bytes, "the file");
    if (!small) FAIL(small.error().message);
    CHECK(small->data().graph.quantized());
    return *small;
}

TEST_CASE("a transformer's sizes come from its tensors", "[model]") {
    const Model model = random_model(kWith);
    const Graph& graph = model.data().graph;
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [](const Node& n) { return n.op == Op::affine_sample; });
    REQUIRE(node != graph.nodes.end());
    CHECK(node->name == "transformer");
    CHECK(node->shape == graph.input_shape());
    CHECK(node->align_corners);
    CHECK(model.parameters() - random_model(kWithout).parameters() ==
          12 * 28 + 10 * 301 + 9 * 281 + 6 * 10);
    NetworkFile file = random_network(kWith);
    file.metadata["lprnet.transformer"] = R"({"align_corners": false})";
    const Model edges = loaded(file);
    for (const Node& n : edges.data().graph.nodes) CHECK_FALSE(n.align_corners);
}

TEST_CASE("a transformer with a tensor that is missing or does not fit is refused", "[model]") {
    const NetworkFile whole = random_network(kWith);
    for (const auto& [name, tensor] : whole.tensors) {
        if (name.find("transformer.") != 0) continue;
        NetworkFile file = whole;
        file.tensors.erase(name);
        check_refused(file, "tensor '" + name + "' is missing");
    }
    const struct {
        const char* name;
        std::vector<std::int64_t> shape;
        const char* message;
    } cases[] = {
        {"localization.0.weight", {12, 1, 3, 3}, "has shape [12, 1, 3, 3], expected [*, 3, *, *]"},
        {"localization.3.weight",
         {10, 11, 5, 5},
         "has shape [10, 11, 5, 5], expected [*, 12, *, *]"},
        {"localization.3.bias", {9}, "has shape [9], expected [10]"},
        {"localization.3.weight",
         {10, 12, 12, 5},
         "has shape [10, 12, 12, 5], too large for its input of 12x11x46"},
        {"fc_loc.0.weight", {9, 281}, "has shape [9, 281], expected [*, 280]"},
        {"fc_loc.0.weight", {9, 10, 2, 14}, "has shape [9, 10, 2, 14], expected [*, 280]"},
        {"fc_loc.0.weight",
         {0, 280},
         "has shape [0, 10, 2, 14], expected 1..4096 channels and 1..64 taps a side"},
        {"fc_loc.2.weight", {6, 8}, "has shape [6, 8], expected [*, 9]"},
    };
    for (const auto& c : cases) {
        NetworkFile file = whole;
        const std::string name = std::string("transformer.") + c.name;
        std::size_t size = 1;
        for (const std::int64_t extent : c.shape) size *= static_cast<std::size_t>(extent);
        file.tensors[name] = {c.shape, std::vector<float>(size, 0.1f)};
        check_refused(file, "tensor '" + name + "' " + c.message);
    }
    NetworkFile file = whole;
    file.tensors["transformer.fc_loc.2.weight"] = {{5, 9}, std::vector<float>(45)};
    file.tensors["transformer.fc_loc.2.bias"] = {{5}, std::vector<float>(5)};
    check_refused(file,
                  "tensor 'transformer.fc_loc.2.weight' makes 5x1x1 values, expected the 6x1x1 of "
                  "an affine map");
    file = whole;
    file.tensors["transformer.scale"] = {{1}, {1.0f}};
    check_refused(file, "tensor 'transformer.scale' does not belong to LPRNet");
    file = random_network(kWithout);
    file.tensors["transformer.fc_loc.2.bias"] = whole.tensors.at("transformer.fc_loc.2.bias");
    check_refused(file, "tensor 'transformer.localization.0.weight' is missing");
}

TEST_CASE("what a file says of its transformer is checked", "[model]") {
    NetworkFile file = random_network(kWith);
    const std::string key = "metadata 'lprnet.transformer' ";
    file.metadata.erase("lprnet.transformer");
    check_refused(file, key + "is missing; expected a model written by scripts/export_weights.py");
    for (const char* text :
         {"{}", "true", "[]", R"({"align_corners":1})", R"({"align_corners":"true"})"}) {
        file.metadata["lprnet.transformer"] = text;
        check_refused(file, key + "is '" + text + "', expected {\"align_corners\": true} or false");
    }
    NetworkFile none = random_network(kWithout);
    none.metadata["lprnet.transformer"] = R"({"align_corners":true})";
    check_refused(none, "tensor 'transformer.localization.0.weight' is missing");
}

TEST_CASE("the identity leaves every logit as it is", "[network]") {
    NetworkFile file = random_network(kWith);
    set_map(file, {1, 0, 0, 0, 1, 0});
    const Model with = loaded(file), without = random_model(kWithout);
    const std::vector<float> image = random_image(with.data().graph.input_shape(), 5);
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Network one = make_network(with, *table), other = make_network(without, *table);
        CHECK(run(one, image) == run(other, image));
    }
}

// Without the channels that are constant the logits are those of all channels.
void check_whole_tensors_agree(const Model& model, const std::vector<float>& image,
                               double tolerance) {
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Network plain = make_network(model, *table);
        Network whole = make_network(model, *table, {.whole_tensors = true});
        const std::vector<float> found = run(plain, image), expected = run(whole, image);
        for (std::size_t i = 0; i < found.size(); ++i)
            CHECK(std::abs(found[i] - expected[i]) <= tolerance);
    }
}

TEST_CASE("a map that is the same for every picture stays one", "[network]") {
    // Channels that are constant are not computed; those of the map have to be.
    NetworkFile file = random_network(kWith);
    set_map(file, {0.9f, 0.1f, -0.2f, 0.05f, 1.1f, 0.1f});
    const Model model = loaded(file);
    const std::vector<float> image = random_image(model.data().graph.input_shape(), 5);
    check_whole_tensors_agree(model, image, 1e-3);
    // Out of sight nothing is left of the picture.
    set_map(file, {1, 0, 4, 0, 1, 0});
    Network network = make_network(loaded(file), reference_table());
    const std::vector<float> first = run(network, image);
    CHECK(run(network, random_image(model.data().graph.input_shape(), 6)) == first);
}

TEST_CASE("constant channels of a transformer go, and nothing changes", "[network]") {
    NetworkFile file = random_network(kWith);
    for (const std::string layer : {"localization.0", "localization.3", "fc_loc.0"}) {
        OwnedTensor& weight = file.tensors.at("transformer." + layer + ".weight");
        OwnedTensor& bias = file.tensors.at("transformer." + layer + ".bias");
        const std::size_t per_row = weight.values.size() / bias.values.size();
        for (const std::size_t channel : {0, 3, 5}) {
            std::fill_n(weight.values.begin() + static_cast<std::ptrdiff_t>(channel * per_row),
                        per_row, 0.0f);
            bias.values[channel] = channel == 3 ? -0.5f : 0.25f * static_cast<float>(channel);
        }
    }
    const Model model = loaded(file);
    CHECK(model.data().graph.has_constants);
    const std::vector<float> image = random_image(model.data().graph.input_shape(), 8);
    check_whole_tensors_agree(model, image, 2e-3);
}

TEST_CASE("threads that share a picture straighten it together", "[run_network][threads]") {
    for (const Model& model : {random_model(kWith), quantized(random_network(kWith))}) {
        const std::vector<float> image = random_image(model.data().graph.input_shape(), 9);
        const kernels::KernelTable& table = *tables_under_test().back();
        Network one = make_network(model, table);
        const std::vector<float> expected = run(one, image);
        for (const int threads : {2, 5}) {
            Network several = make_network(model, table, {.tuning = {}, .threads = threads});
            CHECK(run(several, image) == expected);
        }
        CHECK(run(one, image) == expected);  // the input is as it was
        const std::size_t before = allocation_count();
        one.run();
        CHECK(allocation_count() == before);
    }
}

TEST_CASE("in int8 the map of a picture is nearly that of float32", "[quantized]") {
    const NetworkFile file = random_network(kWith);
    const Model exact = loaded(file), small = quantized(file);
    const Shape shape = exact.data().graph.input_shape();
    const auto map_of = [&](const Model& model) {
        Network network = make_network(model, reference_table());
        const std::vector<float> image = random_image(shape, 1);
        std::copy(image.begin(), image.end(), network.input().begin());
        std::vector<float> theta;
        for (std::size_t s = 0; s < network.steps().size(); ++s) {
            network.run_step(s);
            if (network.steps()[s].name == "transformer.fc_loc.2") network.read_output(s, theta);
        }
        REQUIRE(theta.size() == 6);
        return theta;
    };
    const std::vector<float> expected = map_of(exact), found = map_of(small);
    for (std::size_t i = 0; i < 6; ++i) CHECK(std::abs(found[i] - expected[i]) <= 0.02);
}

TEST_CASE("sums of a transformer in int8 are bounded by the levels that it reads", "[quantized]") {
    const NetworkFile file = random_network(kWith);
    const Model model = loaded(file);
    Result<QuantizedModel> made =
        quantize(model.data(), {random_image(model.data().graph.input_shape(), 1)});
    REQUIRE(made.ok());
    const std::string name = "transformer.fc_loc.0.weight.scale";
    for (auto& tensor : made->tensors) {
        if (tensor.name != name) continue;
        for (float& scale : std::get<std::vector<float>>(tensor.values)) scale = 1e17f;
    }
    const auto bytes = weights::serialize_safetensors(made->views(), file.metadata);
    REQUIRE(bytes.ok());
    const Result<Model> small = Model::from_memory(*bytes, "the file");
    REQUIRE_FALSE(small.ok());
    CHECK_THAT(small.error().message,
               starts_with("the file: layer 'transformer.fc_loc.0': channel 0 can sum up to more"));
}

TEST_CASE("layers of a transformer have names, and are pruned as others", "[compress]") {
    const NetworkFile file = random_network(kWith);
    const Model model = loaded(file);
    const std::vector<LayerName> names = layer_names(model.data().graph);
    REQUIRE(names.size() == 20);
    CHECK(names[2].stored == "transformer.fc_loc.0");
    CHECK(names[2].computed == "transformer.fc_loc.1");
    CHECK(names[3].computed == "transformer.fc_loc.2");
    CHECK(names.back().computed == "logits");

    Graph graph = model.data().graph;
    const auto report = prune(graph, {.amount = 0.9});
    REQUIRE(report.ok());
    const std::vector<std::byte> bytes = file.bytes();
    const auto opened = weights::SafetensorsFile::from_memory(bytes, "the file");
    REQUIRE(opened.ok());
    const auto tensors = tensors_with_weights(*opened, graph);
    REQUIRE(tensors.ok());
    const auto written = weights::serialize_safetensors(tensors->views, file.metadata);
    REQUIRE(written.ok());
    const Result<Model> pruned = Model::from_memory(*written, "pruned");
    REQUIRE(pruned.ok());
    CHECK(pruned->data().graph.stored_sparse());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (graph.nodes[i].linear)
            CHECK(pruned->data().graph.nodes[i].weight == graph.nodes[i].weight);
    }
}

}  // namespace
}  // namespace lprnet::test
