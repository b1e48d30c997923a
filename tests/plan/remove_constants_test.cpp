// Constant channels: what is left computes the same, for every kind of constant in every place.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/compress/quantize.h"
#include "engine/plan/passes.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/oracle.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

// Why a channel is the same for every image, behind its ReLU.
enum class Kind { zero, positive, never_positive };

// The convolutions and the batch norms behind them.
struct Layer {
    const char* conv;
    const char* norm;  // null: none
    bool read_padded;  // by the next convolution
};
constexpr Layer kLayers[] = {
    {"backbone.0", "backbone.1", false},           {"backbone.4.block.0", nullptr, true},
    {"backbone.4.block.2", nullptr, true},         {"backbone.4.block.4", nullptr, false},
    {"backbone.4.block.6", "backbone.5", false},   {"backbone.8.block.0", nullptr, true},
    {"backbone.8.block.2", nullptr, true},         {"backbone.8.block.4", nullptr, false},
    {"backbone.8.block.6", "backbone.9", false},   {"backbone.11.block.0", nullptr, true},
    {"backbone.11.block.2", nullptr, true},        {"backbone.11.block.4", nullptr, false},
    {"backbone.11.block.6", "backbone.12", false}, {"backbone.16", "backbone.17", false},
    {"backbone.20", "backbone.21", false},
};

void make_constant(NetworkFile& file, const Layer& layer, std::size_t channel, Kind kind) {
    OwnedTensor& weight = file.tensors.at(std::string(layer.conv) + ".weight");
    OwnedTensor& bias = file.tensors.at(std::string(layer.conv) + ".bias");
    const std::size_t per_row = weight.values.size() / bias.values.size();
    const auto row = weight.values.begin() + static_cast<std::ptrdiff_t>(channel * per_row);
    if (kind != Kind::never_positive) std::fill_n(row, per_row, 0.0f);
    const float value = kind == Kind::zero       ? -0.5f
                        : kind == Kind::positive ? 0.25f + 0.125f * static_cast<float>(channel % 5)
                                                 : -1e6f;
    if (layer.norm == nullptr) {
        bias.values[channel] = value;
        return;
    }
    const auto of_norm = [&](const char* name) -> float& {
        return file.tensors.at(std::string(layer.norm) + name).values[channel];
    };
    bias.values[channel] = of_norm(".running_mean");
    of_norm(".bias") = value;
}

std::size_t channels_of(const NetworkFile& file, const Layer& layer) {
    return file.tensors.at(std::string(layer.conv) + ".bias").values.size();
}

// A share of the channels of every layer, of all kinds.
NetworkFile spoiled(const RandomNetwork& network, double share) {
    NetworkFile file = random_network(network);
    std::mt19937 random(network.seed);
    for (const Layer& layer : kLayers) {
        for (std::size_t c = 0; c < channels_of(file, layer); ++c) {
            if (uniform(random, 0.0f, 1.0f) >= static_cast<float>(share)) continue;
            make_constant(file, layer, c, static_cast<Kind>(random() % 3));
        }
    }
    return file;
}

Model loaded(const NetworkFile& file) {
    Result<Model> model = Model::from_memory(file.bytes(), "spoiled");
    if (!model) FAIL(model.error().message);
    return *model;
}

Graph sorted(const Model& model) {
    Graph graph = fuse_relu(fold_batch_norm(model.data().graph));
    graph.has_constants = true;  // also where the loader's bounds are too loose to see it
    return sort_pooled_channels(fuse_context_tap(move_mean(std::move(graph))));
}

const Node& find(const Graph& graph, const std::string& name) {
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [&](const Node& n) { return n.name == name; });
    REQUIRE(node != graph.nodes.end());
    return *node;
}

std::vector<double> planes(const Shape& shape, float most) {
    std::mt19937 random(5);
    std::vector<double> input(static_cast<std::size_t>(shape.c * shape.h * shape.w));
    for (double& x : input) x = double{uniform(random, -most, most)};
    return input;
}

double largest_of(const std::vector<double>& values) {
    double largest = 1e-3;
    for (const double value : values) largest = std::max(largest, std::abs(value));
    return largest;
}

double error_of(const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    double error = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i)
        error = std::max(error, std::abs(found[i] - expected[i]));
    return error;
}

// Every tensor that is still there, and the constants.
void check_channels(const Graph& before, const Graph& after, float most) {
    const std::vector<double> input = planes(before.input_shape(), most);
    const auto expected = run_oracle(before, input), found = run_oracle(after, input);
    for (const Node& node : after.nodes) {
        if (node.op != Op::conv2d && node.op != Op::max_pool) continue;
        INFO(node.name);
        const Node& whole = find(before, node.name);
        const OracleTensor& old = expected.at(node.name);
        const OracleTensor& now = found.at(node.name);
        const auto plane = static_cast<std::size_t>(node.shape.h * node.shape.w);
        const auto at = [plane](const OracleTensor& tensor, std::size_t c) {
            const auto begin = tensor.values.begin() + static_cast<std::ptrdiff_t>(c * plane);
            return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(plane));
        };
        const auto place = [&](int channel) {
            const std::vector<int>& order = whole.channel_order;
            if (order.empty()) return static_cast<std::size_t>(channel);
            return static_cast<std::size_t>(std::find(order.begin(), order.end(), channel) -
                                            order.begin());
        };
        // A constant is rounded to float32 once, and what it adds to a bias.
        const double rounding = 1e-5 * largest_of(old.values);
        std::set<int> seen;
        for (std::size_t c = 0; c < static_cast<std::size_t>(node.shape.c); ++c) {
            const int channel =
                node.channel_order.empty() ? static_cast<int>(c) : node.channel_order[c];
            if (channel < 0) continue;
            seen.insert(channel);
            CHECK(error_of(at(now, c), at(old, place(channel))) <= rounding);
        }
        for (const Node::Constant& constant : node.constants) {
            seen.insert(constant.channel);
            CHECK(error_of(std::vector<double>(plane, double{constant.value}),
                           at(old, place(constant.channel))) <= rounding);
        }
        CHECK(seen.size() == static_cast<std::size_t>(whole.shape.c));
    }
    const std::vector<double>& logits = expected.at("logits").values;
    CHECK(error_of(found.at("logits").values, logits) <= 1e-5 * largest_of(logits));
}

std::int64_t work_of(const Graph& graph) {
    std::int64_t sum = 0;
    for (const Node& node : graph.nodes) sum += multiply_accumulates(graph, node);
    return sum;
}

TEST_CASE("a network without constant channels stays as it is", "[plan]") {
    for (const unsigned seed : {1u, 2u, 3u}) {
        const Graph before = sorted(random_model({.classes = 7, .width = 0.25, .seed = seed}));
        const Graph after = remove_constant_channels(before, 1);
        CHECK(work_of(after) == work_of(before));
        for (const Node& node : after.nodes) {
            CHECK(node.constants.empty());
            CHECK_FALSE(node.in_stored_order);
        }
    }
}

TEST_CASE("constant channels of every kind and place go, and nothing changes", "[plan][many]") {
    for (const Layer& layer : kLayers) {
        for (const Kind kind : {Kind::zero, Kind::positive, Kind::never_positive}) {
            INFO(layer.conv << ", kind " << static_cast<int>(kind));
            NetworkFile file = random_network({.classes = 9, .width = 0.25, .seed = 4});
            // First and last, of those that a pool keeps and of the others.
            const std::size_t last = channels_of(file, layer) - 1;
            for (const std::size_t c : {std::size_t{0}, std::size_t{1}, last - 1, last})
                make_constant(file, layer, c, kind);
            const Graph before = sorted(loaded(file));
            const Graph after = remove_constant_channels(before, 1);
            // What is added in the inside of a padded convolution is not at its border.
            const bool stays = kind == Kind::positive && layer.read_padded;
            // The bounds of random weights grow with every layer, and pass a million.
            const bool bounded = kind != Kind::never_positive || &layer < &kLayers[9];
            if (bounded) CHECK((work_of(after) == work_of(before)) == stays);
            check_channels(before, after, 1.0f);
        }
    }
}

TEST_CASE("many constant channels in all layers at once", "[plan][many]") {
    for (const unsigned seed : {1u, 2u, 3u}) {
        for (const double share : {0.1, 0.5, 0.9}) {
            INFO("seed " << seed << ", share " << share);
            const Graph before =
                sorted(loaded(spoiled({.classes = 11, .width = 0.4, .seed = seed}, share)));
            for (const int vector : {1, 4, 16}) {
                const Graph after = remove_constant_channels(before, vector);
                CHECK(work_of(after) < work_of(before));
                check_channels(before, after, 1.0f);
                // Inputs that no picture has, as somebody else's test might write them.
                check_channels(before, after, 16.0f);
            }
        }
    }
}

TEST_CASE("a channel that moves by less than its rounding stays", "[plan]") {
    const Layer* layers[] = {&kLayers[11], &kLayers[13]};
    for (const Layer* layer : layers) {
        INFO(layer->conv);
        NetworkFile file = random_network({.classes = 9, .width = 0.25, .seed = 4});
        file.tensors.at(std::string(layer->conv) + ".bias").values[2] = 1e16f;
        const Graph after = remove_constant_channels(sorted(loaded(file)), 1);
        const char* output = layer->norm == nullptr ? "backbone.11.block.5" : "backbone.18";
        for (const Node::Constant& constant : find(after, output).constants)
            CHECK(constant.channel != 2);
    }
}

// Sums of products as large as what is left of them is small.
TEST_CASE("a channel that little passes through stays", "[plan]") {
    for (const float largest : {1.0f, 3.0f, 10.0f}) {
        NetworkFile file = random_network({.classes = 9, .width = 1.0, .seed = 4});
        OwnedTensor& weight = file.tensors.at("backbone.8.block.0.weight");
        for (float& w : weight.values) w = -largest * std::abs(w);
        for (float& b : file.tensors.at("backbone.8.block.0.bias").values) b = 0.01f;
        const Graph after = remove_constant_channels(sorted(loaded(file)), 1);
        INFO("weights times " << largest);
        CHECK(find(after, "backbone.8.block.1").constants.empty());
    }
}

TEST_CASE("whole vectors are kept, and one channel at least", "[plan]") {
    NetworkFile file = random_network({.classes = 9, .width = 1.0, .seed = 4});
    const Layer& layer = kLayers[13];
    for (std::size_t c = 3; c < channels_of(file, layer); ++c)
        make_constant(file, layer, c, Kind::zero);
    const auto kept = [&](int vector) {
        return find(remove_constant_channels(sorted(loaded(file)), vector), "backbone.18").shape.c;
    };
    CHECK(kept(1) == 3);
    CHECK(kept(4) == 4);
    CHECK(kept(16) == 16);
    for (std::size_t c = 0; c < 3; ++c) make_constant(file, layer, c, Kind::zero);
    CHECK(kept(1) == 1);
    CHECK(kept(8) == 8);
}

TEST_CASE("plans without constant channels give the outputs of every layer", "[network][threads]") {
    for (const double share : {0.3, 0.9}) {
        const Model model = loaded(spoiled({.classes = 13, .width = 0.7, .seed = 6}, share));
        Network exact = make_network(model, reference_table(), {.whole_tensors = true});
        std::vector<float> input;
        for (const double x : planes(model.data().graph.input_shape(), 1.0f))
            input.push_back(static_cast<float>(x));
        exact.set_input_planes(input);
        std::vector<std::vector<double>> expected(exact.steps().size());
        for (std::size_t s = 0; s < exact.steps().size(); ++s) {
            exact.run_step(s);
            exact.read_output(s, expected[s]);
        }
        for (const kernels::KernelTable* table : tables_under_test()) {
            std::vector<float> logits;
            for (const int threads : {1, 2, 5}) {
                INFO(table->name << ", " << threads << " threads");
                Network network = make_network(model, *table, {.tuning = {}, .threads = threads});
                network.set_input_planes(input);
                REQUIRE(network.steps().size() == exact.steps().size());
                std::size_t removed = 0;
                for (std::size_t s = 0; s < network.steps().size(); ++s) {
                    const StepInfo& step = network.steps()[s];
                    INFO(step.name);
                    network.run_step(s);
                    if (step.op == Op::context_tap || step.op == Op::concat) continue;
                    CHECK(step.shape == exact.steps()[s].shape);
                    removed += step.constants.size();
                    std::vector<double> values;
                    network.read_output(s, values);
                    CHECK(error_of(values, expected[s]) <= 1e-4 * largest_of(expected[s]));
                }
                CHECK(removed > 0);
                network.set_input_planes(input);
                network.run();
                if (threads == 1) logits = logits_of(network);
                CHECK(logits_of(network) == logits);  // the same bits
            }
        }
    }
}

TEST_CASE("removing zeros from a quantized network changes no bit", "[quantized][threads][many]") {
    for (const LayerNames& keep_float :
         {LayerNames{}, LayerNames{"backbone.0", "backbone.4.block.6", "backbone.16"}}) {
        const NetworkFile file = spoiled({.classes = 9, .width = 0.5, .seed = 8}, 0.5);
        const Model model = loaded(file);
        const Shape shape = model.data().graph.input_shape();
        std::mt19937 random(3);
        std::vector<std::vector<float>> images(
            3, std::vector<float>(static_cast<std::size_t>(shape.c * shape.h * shape.w)));
        for (std::vector<float>& image : images) {
            for (float& x : image) x = (static_cast<float>(random() % 256) - 127.5f) * 0.0078125f;
        }
        Result<QuantizedModel> made = quantize(model.data(), images, {.keep_float = keep_float});
        if (!made) FAIL(made.error().message);
        const auto bytes = weights::serialize_safetensors(made->views(), file.metadata);
        REQUIRE(bytes.ok());
        const Result<Model> quantized = Model::from_memory(*bytes, "quantized");
        if (!quantized) FAIL(quantized.error().message);
        Network whole = make_network(*quantized, reference_table(), {.whole_tensors = true});
        const std::vector<float> expected = run(whole, images[0]);
        for (const kernels::KernelTable* table : tables_under_test()) {
            for (const int threads : {1, 3}) {
                INFO(table->name << ", " << threads << " threads");
                Network network =
                    make_network(*quantized, *table, {.tuning = {}, .threads = threads});
                CHECK(run(network, images[0]) == expected);
                std::size_t removed = 0;
                for (std::size_t s = 0; s < network.steps().size(); ++s) {
                    const StepInfo& step = network.steps()[s];
                    removed += step.constants.size();
                    for (const Node::Constant& constant : step.constants)
                        CHECK(constant.value == 0.0f);
                    whole.run_step(s);
                    network.run_step(s);
                    if (step.op == Op::context_tap || step.op == Op::concat) continue;
                    std::vector<float> now, before;
                    network.read_output(s, now);
                    whole.read_output(s, before);
                    INFO(step.name);
                    CHECK(now == before);
                }
                CHECK(removed > 0);
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::test
