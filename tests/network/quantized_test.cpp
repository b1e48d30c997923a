// Quantized networks: the plan against an interpreter of the graph, and the same bits from every
// table and every number of threads.
#include <cstring>
#include <map>
#include <string>

#include "engine/compress/quantize.h"
#include "engine/model/quantization.h"
#include "engine/plan/plan.h"
#include "tests/kernels/tables.h"
#include "tests/network/compare.h"
#include "tests/network/golden_dump.h"
#include "tests/network/make_network.h"
#include "tests/network/oracle.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

// Normalized pixels, as a real image has them: levels / 128 - 127.5 / 128.
std::vector<float> random_image(const Shape& shape, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> input(static_cast<std::size_t>(shape.c * shape.h * shape.w));
    for (float& x : input) x = (static_cast<float>(random() % 256) - 127.5f) * 0.0078125f;
    return input;
}

std::vector<std::vector<float>> random_images(const Shape& shape, int count) {
    std::vector<std::vector<float>> images;
    for (int i = 0; i < count; ++i) images.push_back(random_image(shape, 100u + unsigned(i)));
    return images;
}

struct Quantized {
    RandomNetwork network;
    LayerNames keep_float = {};
};

// Made once for each seed and choice of layers: fitting takes most of the time of these tests.
Model quantized_model(const Quantized& from) {
    const RandomNetwork& network = from.network;
    static std::map<std::pair<unsigned, LayerNames>, Model> made;
    const std::pair key(network.seed, from.keep_float);
    if (const auto it = made.find(key); it != made.end()) return it->second;
    const Model model = random_model(network);
    const Shape shape = model.data().graph.input_shape();
    Result<QuantizedModel> quantized =
        quantize(model.data(), random_images(shape, 3), {.keep_float = from.keep_float});
    if (!quantized) FAIL(quantized.error().message);
    const Result<std::vector<std::byte>> bytes =
        weights::serialize_safetensors(quantized->views(), random_network(network).metadata);
    if (!bytes) FAIL(bytes.error().message);
    Result<Model> loaded = Model::from_memory(*bytes, "quantized");
    if (!loaded) FAIL(loaded.error().message);
    made.emplace(key, *loaded);
    return *loaded;
}

// Layers with float32 weights that read levels of pixels, that are padded, that stand in front of
// a pool over channels and of the context, and the one behind it.
const LayerNames kSome = {"backbone.0",          "backbone.4.block.2", "backbone.8.block.5",
                          "backbone.11.block.6", "backbone.16",        "container.0"};
const LayerNames kOthers = {"backbone.4.block.1", "backbone.6", "backbone.10", "backbone.20"};
// Of a spatial transformer, also one that is in float32 anyway.
const LayerNames kLocalization = {"transformer.localization.3", "transformer.fc_loc.0"};
const Quantized kNetworks[] = {
    {{.seed = 1}},
    {{.channels = 1, .classes = 37, .seed = 2}},
    {{.width = 0.75, .seed = 3}},
    {{.classes = 5, .width = 0.3, .seed = 4}},
    {{.classes = 5, .width = 0.3, .seed = 4}, kSome},
    {{.channels = 1, .classes = 37, .width = 0.75, .seed = 5}, kOthers},
    {{.classes = 11, .width = 0.3, .seed = 6, .transformer = true}},
    {{.classes = 11, .width = 0.3, .seed = 7, .transformer = true}, kLocalization},
};

// In the oracle's order.
std::vector<double> planes_of(const std::vector<float>& image, const Shape& shape) {
    const auto channels = static_cast<std::size_t>(shape.c);
    std::vector<double> planes(image.size());
    for (std::size_t i = 0; i < image.size(); ++i) {
        planes[i % channels * (image.size() / channels) + i / channels] = double{image[i]};
    }
    return planes;
}

// Runs the network and compares every step but the context's, whose outputs the graph has not.
// Levels have to be equal.
void check_steps(Network& network, const std::vector<float>& image,
                 const std::map<std::string, OracleTensor>& expected) {
    std::copy(image.begin(), image.end(), network.input().begin());
    for (std::size_t s = 0; s < network.steps().size(); ++s) {
        const StepInfo& step = network.steps()[s];
        network.run_step(s);
        if (step.op == Op::context_tap || step.op == Op::concat) continue;
        // A ReLU in front of the pool behind which the graph has it.
        if (expected.count(step.name) == 0 && step.name.ends_with(".relu")) continue;
        const OracleTensor& tensor = expected.at(step.name);
        const std::size_t plane = tensor.values.size() / std::size_t(tensor.shape.c);
        const Agreement a = agreement(network, s, [&](std::size_t i) {
            if (tensor.factors.empty()) return tensor.values[i];
            return tensor.values[i] * tensor.factors[i / plane];
        });
        INFO("layer " << step.name << ": max abs " << a.max_abs << ", cosine " << a.cosine);
        if (step.output.has_levels()) {
            CHECK(a.max_abs == 0.0);
        } else {
            CHECK(a.cosine >= 0.999999);
        }
    }
}

TEST_CASE("a quantized network computes what its graph says", "[quantized][oracle]") {
    for (const Quantized& network : kNetworks) {
        INFO("width " << network.network.width << ", channels " << network.network.channels
                      << ", kept " << network.keep_float.size());
        const Model model = quantized_model(network);
        const Shape shape = model.data().graph.input_shape();
        const std::vector<float> image = random_image(shape, 7);
        const auto expected = run_oracle(model.data().graph, planes_of(image, shape));
        for (const kernels::KernelTable* table : tables_under_test()) {
            INFO(table->name);
            Network planned = make_network(model, *table);
            CHECK(planned.plan().quantized);
            check_steps(planned, image, expected);
        }
    }
}

TEST_CASE("a quantized network is close to the network it was made from", "[quantized][many]") {
    const RandomNetwork network = {.seed = 1};
    const Model plain = random_model(network);
    const Model model = quantized_model({network});
    const std::vector<float> image = random_image(plain.data().graph.input_shape(), 7);
    for (const kernels::KernelTable* table : tables_under_test()) {
        Network exact = make_network(plain, *table), found = make_network(model, *table);
        const std::vector<float> a = run(exact, image), b = run(found, image);
        double product = 0, left = 0, right = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            product += double{a[i]} * double{b[i]};
            left += double{a[i]} * double{a[i]};
            right += double{b[i]} * double{b[i]};
        }
        CHECK(product / std::sqrt(left * right) > 0.99);
    }
}

TEST_CASE("every table and number of threads gives the bits of the reference",
          "[quantized][threads]") {
    for (const Quantized& network : kNetworks) {
        // Of the wide ones the first: the others have another picture or other layers in floats.
        if (kManyTimesSlower && network.network.width > 0.5 && &network != kNetworks) continue;
        INFO("seed " << network.network.seed << ", kept " << network.keep_float.size());
        const Model model = quantized_model(network);
        const std::vector<float> image = random_image(model.data().graph.input_shape(), 9);
        Network reference = make_network(model, reference_table());
        const std::vector<float> expected = run(reference, image);
        for (const kernels::KernelTable* table : tables_under_test()) {
            for (const int threads : {1, 2, 3, 7}) {
                INFO(table->name << ", threads " << threads);
                Network planned = make_network(model, *table, {.tuning = {}, .threads = threads});
                const std::vector<float> found = run(planned, image);
                REQUIRE(found.size() == expected.size());
                CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) ==
                      0);
            }
        }
    }
}

TEST_CASE("layers keep their weights, which the plan multiplies as they are", "[quantized]") {
    const Model model = quantized_model({{.classes = 5, .width = 0.3, .seed = 4}, kSome});
    const Result<Plan> plan = build_plan(model.data().graph, reference_table());
    REQUIRE(plan.ok());
    std::map<std::string, std::string> kernels;
    for (const StepInfo& step : plan->info) kernels[step.name] = step.kernel;
    CHECK(kernels.at("backbone.2") == "conv2d_levels_f32 3x3");
    CHECK(kernels.at("backbone.4.block.3") == "conv2d_levels_f32 3x1");
    CHECK(kernels.at("backbone.8.block.5") == "conv2d_levels_f32 1x3");
    CHECK(kernels.at("backbone.6") == "conv2d_s8 1x1");
    CHECK(kernels.at("logits") == "conv2d_f32_exact 1x1");
    int kept = 0;
    for (const Node& node : model.data().graph.nodes) {
        if (node.op == Op::conv2d && node.keeps_float()) ++kept;
    }
    CHECK(kept == 5);
}

Node& node_named(Graph& graph, const std::string& name) {
    for (Node& node : graph.nodes) {
        if (node.name == name) return node;
    }
    FAIL("no node " << name);
    return graph.nodes.front();
}

// The layer is one of real numbers then.
void forget_levels(Node& conv) {
    conv.weight = real_weights(conv);
    conv.quantized_weight = {};
    conv.weight_scale.clear();
    conv.output_scale = 0.0f;
    conv.output_factor.clear();
}

TEST_CASE("layers that do not fit what they read are errors", "[quantized]") {
    const Model model = quantized_model(kNetworks[3]);
    Graph floats = model.data().graph;
    forget_levels(node_named(floats, "backbone.8.block.6"));
    // Nobody makes levels of the pixels.
    Graph levels = model.data().graph;
    node_named(levels, "backbone.0").inputs = {0};
    // A branch of the context reads the pixels themselves.
    Graph mixed = model.data().graph;
    node_named(mixed, "context.0.pool").inputs = {0};
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        const Result<Plan> first = build_plan(floats, *table), second = build_plan(levels, *table);
        REQUIRE_FALSE(first.ok());
        CHECK(first.error().message == "layer 'backbone.10': not quantized, but what it reads is");
        REQUIRE_FALSE(second.ok());
        CHECK(second.error().message == "layer 'backbone.2': quantized, but what it reads is not");
        const Result<Plan> third = build_plan(mixed, *table);
        REQUIRE_FALSE(third.ok());
        CHECK(third.error().message == "layer 'context.0': quantized, but what it reads is not");
    }
}

// A first layer of real numbers, with levels made from its output: nodes of both kinds stand in one
// plan, in float32 with the kernel that rounds alike everywhere.
TEST_CASE("levels may begin behind a layer of real numbers", "[quantized][threads]") {
    for (const bool pooled : {false, true}) {
        INFO((pooled ? "behind a pool" : "behind the layer"));
        Graph graph = quantized_model(kNetworks[3]).data().graph;
        REQUIRE(graph.nodes[1].op == Op::quantize);
        REQUIRE(graph.nodes[2].op == Op::conv2d);
        REQUIRE(graph.nodes[3].op == Op::relu);
        Node levels = graph.nodes[1], conv = graph.nodes[2], relu = graph.nodes[3];
        forget_levels(conv);
        // Sums and levels are exact, and no value lies between two levels.
        std::vector<float> weight(conv.weight.size());
        for (std::size_t i = 0; i < weight.size(); ++i) {
            weight[i] = static_cast<float>(static_cast<int>(i * 7 % 9) - 3);
        }
        conv.weight = Floats(std::move(weight));
        conv.bias.assign(conv.bias.size(), 8.0f);
        conv.inputs = {0};
        relu.inputs = {1};
        levels.inputs = {2};
        levels.shape = relu.shape;
        const auto channels = static_cast<std::size_t>(levels.shape.c);
        levels.level_factor.assign(channels, 1.0f);
        levels.level_offset.assign(channels, 0.125f + 1.0f / 1024);
        graph.nodes[1] = conv;
        graph.nodes[2] = relu;
        graph.nodes[3] = levels;
        if (pooled) {
            Node pool;
            pool.op = Op::max_pool;
            pool.name = "first_pool";
            pool.inputs = {2};
            pool.shape = relu.shape;
            for (std::size_t i = 3; i < graph.nodes.size(); ++i) {
                for (int& input : graph.nodes[i].inputs) input += input >= 3 ? 1 : 0;
            }
            graph.nodes[3].inputs = {3};
            graph.nodes.insert(graph.nodes.begin() + 3, pool);
        }
        const Shape& shape = graph.input_shape();
        const std::vector<float> image = random_image(shape, 11);
        const auto expected = run_oracle(graph, planes_of(image, shape));
        std::vector<float> reference;
        for (const kernels::KernelTable* table : tables_under_test()) {
            for (const int threads : {1, 3}) {
                INFO(table->name << ", threads " << threads);
                Result<Network> network =
                    Network::create(graph, *table, {.tuning = {}, .threads = threads});
                if (!network) FAIL(network.error().message);
                const std::vector<float> logits = run(*network, image);
                if (reference.empty()) reference = logits;
                CHECK(std::memcmp(logits.data(), reference.data(), logits.size() * sizeof(float)) ==
                      0);
                CHECK(network->steps().front().kernel == "conv2d_f32_exact 3x3");
                if (pooled) CHECK(network->steps()[1].kernel == "max_pool2d_f32 1x1");
                check_steps(*network, image, expected);
            }
        }
    }
}

// The plan of a network with one number of its file changed.
void check_plan_refused(const LayerNames& keep_float, const std::string& name, std::size_t at,
                        float value, const std::string& part, const std::string& end) {
    const RandomNetwork network = {.classes = 5, .width = 0.3, .seed = 4};
    const Model plain = random_model(network);
    Result<QuantizedModel> quantized =
        quantize(plain.data(), random_images(plain.data().graph.input_shape(), 1),
                 {.keep_float = keep_float});
    REQUIRE(quantized.ok());
    for (QuantizedModel::Tensor& tensor : quantized->tensors) {
        if (tensor.name == name) std::get<std::vector<float>>(tensor.values)[at] = value;
    }
    const auto bytes =
        weights::serialize_safetensors(quantized->views(), random_network(network).metadata);
    REQUIRE(bytes.ok());
    const Result<Model> model = Model::from_memory(*bytes, "the file");
    REQUIRE(model.ok());
    const Result<Plan> plan = build_plan(model->data().graph, reference_table());
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == ErrorCode::unsupported);
    CHECK_THAT(plan.error().message, contains(part) && contains(end));
}

TEST_CASE("sums that could leave 32 bits are refused", "[quantized]") {
    check_plan_refused({}, "backbone.16.bias", 1, 3e38f,
                       "layer 'backbone.18': channel 1: the largest sum", "does not fit 32 bits");
    check_plan_refused({"backbone.18"}, "backbone.16.bias", 1, 3e38f,
                       "layer 'backbone.18': channel 1: the largest sum", "does not fit float32");
    check_plan_refused({"backbone.18"}, "backbone.16.weight", 0, 3e38f,
                       "layer 'backbone.18': channel 0: the largest sum", "does not fit float32");
}

// FNV-1a, 64 bits, of the floats' bytes.
std::uint64_t hash_of(const std::vector<float>& values, std::uint64_t hash) {
    for (const float value : values) {
        unsigned char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211U;
    }
    return hash;
}

// Whoever changes the weights, or what a quantized network computes, has a new number here. The
// same stands in tests/README.md.
constexpr std::uint64_t kSampleLogits = 0xd94d6092b737c811;

TEST_CASE("the shipped network's logits of the sample plates are these bits", "[quantized]") {
    const Result<Model> model = Model::load(LPRNET_INT8_WEIGHTS_FILE);
    if (!model) FAIL(model.error().message);
    const GoldenDump golden("logits.safetensors");
    const Shape shape = model->data().graph.input_shape();
    const auto plane = static_cast<std::size_t>(shape.h * shape.w);
    const auto ic = static_cast<std::size_t>(shape.c);
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Network network = make_network(*model, *table);
        std::uint64_t hash = 14695981039346656037U;
        for (std::size_t image = 0; image < golden.images(); ++image) {
            const std::vector<float> planes = golden.values("input", image);
            std::vector<float> pixels(ic * plane);
            for (std::size_t i = 0; i < pixels.size(); ++i) {
                pixels[i % plane * ic + i / plane] = planes[i];
            }
            hash = hash_of(run(network, pixels), hash);
        }
        CHECK(hash == kSampleLogits);
    }
}

}  // namespace
}  // namespace lprnet::test
