// The oracle ladder of the whole network: PyTorch's dump against every table, layer
// by layer and as a chain; and networks of other shapes against an interpreter
// of the unfused graph.
#include <map>
#include <string>

#include "lprnet/recognizer.h"
#include "tests/kernels/tables.h"
#include "tests/network/compare.h"
#include "tests/network/golden_dump.h"
#include "tests/network/make_network.h"
#include "tests/network/oracle.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

constexpr double kMinCosine = 0.999999;
constexpr double kMaxLogitError = 2e-3;

Model shipped_model() {
    Result<Model> model = Model::load(LPRNET_WEIGHTS_FILE);
    if (!model) FAIL(model.error().message);
    return *model;
}

void check_step(const Network& network, std::size_t index, const std::vector<float>& expected) {
    const StepInfo& step = network.steps()[index];
    const Agreement a =
        agreement(network, index, [&](std::size_t i) { return double{expected[i]}; });
    INFO("layer " << step.name << ": max abs " << a.max_abs << ", cosine " << a.cosine);
    CHECK(a.cosine >= kMinCosine);
    if (step.name == "logits") CHECK(a.max_abs <= kMaxLogitError);
}

TEST_CASE("every layer turns PyTorch's input into PyTorch's output", "[network]") {
    const GoldenDump golden("layers.safetensors");
    const Model model = shipped_model();
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Network network = make_network(model, *table);
        std::map<std::string, std::size_t> steps;
        int compared = 0;
        for (std::size_t s = 0; s < network.steps().size(); ++s) {
            const StepInfo& step = network.steps()[s];
            steps[step.name] = s;
            const std::vector<float> input = golden.values(step.reads, 0);
            const std::vector<float> output = golden.values(step.name, 0);
            if (input.empty() || output.empty()) continue;
            const auto producer = steps.find(step.reads);
            if (producer == steps.end()) {
                network.set_input_planes(input);
            } else {
                // The producer's run zeroes the border; its values are then replaced.
                network.run_step(producer->second);
                network.write_output(producer->second, input);
            }
            network.run_step(s);
            check_step(network, s, output);
            ++compared;
        }
        CHECK(compared == 8);
    }
}

TEST_CASE("the chain of layers gives PyTorch's outputs", "[network]") {
    const GoldenDump golden("layers.safetensors");
    const Model model = shipped_model();
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Network network = make_network(model, *table);
        for (std::size_t image = 0; image < golden.images(); ++image) {
            network.set_input_planes(golden.values("input", image));
            for (std::size_t s = 0; s < network.steps().size(); ++s) {
                const StepInfo& step = network.steps()[s];
                network.run_step(s);
                const std::vector<float> expected = golden.values(step.name, image);
                if (!expected.empty()) check_step(network, s, expected);
            }
        }
    }
}

TEST_CASE("the logits of every sample plate are PyTorch's", "[network]") {
    const GoldenDump golden("logits.safetensors");
    REQUIRE(golden.images() >= 8);
    const Model model = shipped_model();
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Network network = make_network(model, *table);
        for (std::size_t image = 0; image < golden.images(); ++image) {
            network.set_input_planes(golden.values("input", image));
            network.run();
            check_step(network, network.steps().size() - 1, golden.values("logits", image));
        }
    }
}

TEST_CASE("the logits are PyTorch's with every algorithm forced", "[network]") {
    const GoldenDump golden("logits.safetensors");
    const Model model = shipped_model();
    const std::size_t images = std::min<std::size_t>(golden.images(), kManyTimesSlower ? 1 : 2);
    for (const kernels::KernelTable* table : tables_under_test()) {
        std::vector<ConvAlgorithm> algorithms;
        for (const int taps : {3, 4, 13}) {
            for (const ConvAlgorithm& a : conv_algorithms({.ic = 1, .oc = 1, .kw = taps}))
                algorithms.push_back(a);
        }
        for (const ConvAlgorithm& algorithm : algorithms) {
            // The reference's Winograd is a slow oracle; F(4,3) stands for all of it.
            if (table->lanes == 1 && algorithm_text(algorithm) != "F(4,3)") continue;
            INFO(table->name << " " << algorithm_text(algorithm));
            PlanOptions options;
            options.tuning.every = algorithm;
            Network network = make_network(model, *table, options);
            for (std::size_t image = 0; image < images; ++image) {
                network.set_input_planes(golden.values("input", image));
                network.run();
                check_step(network, network.steps().size() - 1, golden.values("logits", image));
            }
        }
    }
}

TEST_CASE("networks of other shapes agree with the unfused graph", "[network]") {
    const RandomNetwork networks[] = {
        {.seed = 1},
        {.classes = 37, .seed = 2},
        {.channels = 1, .classes = 36, .seed = 3},
        {.width = 0.75, .seed = 4},
        {.width = 1.25, .seed = 5},
        {.classes = 5, .width = 0.3, .seed = 6},  // channels that fill no vector
        {.seed = 7, .zeros = 0.35},
        {.seed = 8, .zeros = 0.7},
        {.classes = 5, .width = 0.3, .seed = 9, .zeros = 0.9},
        {.width = 0.25, .seed = 10, .zeros = 0.99},
        {.classes = 89, .width = 0.5, .seed = 11, .transformer = true},
        {.channels = 1, .classes = 36, .width = 0.3, .seed = 12, .zeros = 0.7, .transformer = true},
    };
    for (const RandomNetwork& from : networks) {
        INFO("width " << from.width << ", classes " << from.classes << ", channels "
                      << from.channels << ", zeros " << from.zeros << ", transformer "
                      << from.transformer);
        const Model model = random_model(from);
        std::mt19937 random(from.seed);
        const Shape shape = model.data().graph.input_shape();
        std::vector<double> input(static_cast<std::size_t>(shape.c * shape.h * shape.w));
        for (double& x : input) x = double{uniform(random, -1.0f, 1.0f)};
        const auto expected = run_oracle(model.data().graph, input);

        for (const kernels::KernelTable* table : tables_under_test()) {
            INFO(table->name);
            Network network = make_network(model, *table);
            network.set_input_planes(std::vector<float>(input.begin(), input.end()));
            for (std::size_t s = 0; s < network.steps().size(); ++s) {
                const StepInfo& step = network.steps()[s];
                network.run_step(s);
                // fused or moved: no such node in the graph
                if (step.op == Op::context_tap || step.op == Op::concat) continue;
                // a ReLU in front of the pool behind which the graph has it
                if (expected.count(step.name) == 0 && step.name.ends_with(".relu")) continue;
                const OracleTensor& tensor = expected.at(step.name);
                const Agreement a =
                    agreement(network, s, [&](std::size_t i) { return tensor.values[i]; });
                INFO("layer " << step.name << ": max abs " << a.max_abs << ", cosine " << a.cosine);
                CHECK(a.cosine >= kMinCosine);
                if (step.name == "logits") CHECK(a.max_abs <= kMaxLogitError);
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::test
