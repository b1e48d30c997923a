// A network that is looked into: inputs, outputs of every element type and layout, other weights.
#include "engine/run/network.h"

#include <algorithm>
#include <cmath>
#include <vector>
#include "tests/allocation_counter.h"
#include "tests/catch.h"

#include "engine/plan/element_reader.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

std::vector<float> numbered(std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i % 23) * 0.08f - 0.9f;
    return values;
}

TEST_CASE("planes become pixels", "[run_network]") {
    Network network = make_network(random_model({.width = 0.3}), reference_table());
    const Shape& shape = network.plan().input.shape;
    const std::vector<float> planes = numbered(network.input().size());
    network.set_input_planes(planes);
    for (int c = 0; c < shape.c; ++c) {
        for (int y = 0; y < shape.h; ++y) {
            for (int x = 0; x < shape.w; ++x) {
                const int nhwc = (y * shape.w + x) * shape.c + c;
                const int nchw = (c * shape.h + y) * shape.w + x;
                REQUIRE(network.input()[static_cast<std::size_t>(nhwc)] ==
                        planes[static_cast<std::size_t>(nchw)]);
            }
        }
    }
}

// Whatever table, layout and number of threads: the same numbers in the same order, near enough.
TEST_CASE("outputs are read in PyTorch's order", "[run_network][threads]") {
    const Model model = random_model({.zeros = 0.8});
    Network exact = make_network(model, reference_table(), {.whole_tensors = true});
    const std::vector<float> input = numbered(exact.input().size());
    run(exact, input);
    for (const kernels::KernelTable* table : tables_under_test()) {
        for (const int threads : {1, 3}) {
            INFO(table->name << ", " << threads << " threads");
            Network network = make_network(model, *table, {.tuning = {}, .threads = threads});
            std::copy(input.begin(), input.end(), network.input().begin());
            int in_panels = 0;
            for (std::size_t s = 0; s < network.steps().size(); ++s) {
                network.run_step(s);
                const StepInfo& step = network.steps()[s];
                in_panels += step.output.panels() != nullptr ? 1 : 0;
                std::vector<double> values, expected;
                network.read_output(s, values);
                exact.run_step(s);
                exact.read_output(s, expected);
                REQUIRE(values.size() == expected.size());
                double largest = 1e-3, error = 0.0;
                for (std::size_t i = 0; i < values.size(); ++i) {
                    largest = std::max(largest, std::abs(expected[i]));
                    error = std::max(error, std::abs(values[i] - expected[i]));
                }
                INFO(step.name);
                CHECK(error <= 1e-4 * largest);
            }
            CHECK((in_panels > 0) == (table->lanes > 1));
        }
    }
}

TEST_CASE("what is written is read back, and its border stays", "[run_network]") {
    const Model model = random_model({.width = 0.5});
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        Network network = make_network(model, *table, {.whole_tensors = true});
        run(network, numbered(network.input().size()));
        std::copy_n(numbered(network.input().size()).begin(), network.input().size(),
                    network.input().begin());
        for (std::size_t s = 0; s < network.steps().size(); ++s) {
            network.run_step(s);
            const Tensor& output = network.steps()[s].output;
            const std::vector<float> values = numbered(output.values());
            network.write_output(s, values);
            std::vector<float> found;
            network.read_output(s, found);
            INFO(network.steps()[s].name);
            CHECK(found == values);
            const NhwcLayout& layout = *output.nhwc();
            const ElementReader reader(output, network.arena());
            for (int x = -layout.border_w(); x < output.shape.w + layout.border_w(); ++x) {
                if (layout.border_h() > 0) CHECK(reader.stored(-1, x, 0) == 0.0f);
            }
        }
    }
}

TEST_CASE("a network goes on with other weights in the same arena", "[run_network]") {
    const kernels::KernelTable& table = *tables_under_test().back();
    const Model first = random_model({.seed = 1}), second = random_model({.seed = 2});
    Network network = make_network(first, table);
    Network other = make_network(second, table);
    const std::vector<float> input = numbered(network.input().size());
    const std::vector<float> before = run(network, input);
    network.replace_plan(other.shared_plan());
    CHECK(run(network, input) == run(other, input));
    CHECK(run(network, input) != before);
}

TEST_CASE("a run allocates nothing", "[run_network][threads]") {
    for (const int threads : {1, 2}) {
        Network network = make_network(random_model({.width = 0.5}), *tables_under_test().back(),
                                       {.tuning = {}, .threads = threads});
        network.run();
        const std::size_t before = allocation_count();
        for (int i = 0; i < 3; ++i) network.run();
        network.run_step(0);
        CHECK(allocation_count() == before);
    }
}

}  // namespace
}  // namespace lprnet::test
