// Each pass alone: what it must do to the graph, and that the logits stay.
#include "engine/plan/passes.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/catch.h"
#include "tests/kernels/tables.h"
#include "tests/network/oracle.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

long count(const Graph& graph, Op op) {
    return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                         [op](const Node& node) { return node.op == op; });
}

const Node* find(const Graph& graph, const std::string& name) {
    for (const Node& node : graph.nodes) {
        if (node.name == name) return &node;
    }
    return nullptr;
}

std::vector<double> logits_of(const Graph& graph) {
    std::mt19937 random(5);
    const Shape shape = graph.input_shape();
    std::vector<double> input(static_cast<std::size_t>(shape.c * shape.h * shape.w));
    for (double& x : input) x = double{uniform(random, -1.0f, 1.0f)};
    return run_oracle(graph, input).at(graph.nodes.back().name).values;
}

// Passes round changed weights to float once; nothing else may differ.
void check_same_logits(const Graph& before, const Graph& after) {
    const std::vector<double> expected = logits_of(before);
    const std::vector<double> found = logits_of(after);
    REQUIRE(found.size() == expected.size());
    double largest = 0.0, error = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        error = std::max(error, std::abs(expected[i] - found[i]));
    }
    INFO("largest logit " << largest << ", error " << error);
    CHECK(error <= 1e-5 * largest);
}

Graph small_graph() {
    return random_model({.classes = 7, .width = 0.25, .seed = 9}).data().graph;
}

TEST_CASE("fold_batch_norm removes every norm and names the conv after it", "[plan]") {
    const Graph before = small_graph();
    REQUIRE(count(before, Op::batch_norm) == 6);
    const Graph after = fold_batch_norm(before);
    CHECK(count(after, Op::batch_norm) == 0);
    CHECK(after.nodes.size() == before.nodes.size() - 6);
    REQUIRE(find(after, "backbone.1") != nullptr);
    CHECK(find(after, "backbone.1")->op == Op::conv2d);
    CHECK(find(after, "backbone.0") == nullptr);
    check_same_logits(before, after);
}

TEST_CASE("fold_batch_norm leaves a convolution that somebody else reads", "[plan]") {
    Graph graph = small_graph();
    // Let the concatenation's first branch pool the convolution before its norm.
    const auto index = [&](const std::string& name) {
        return static_cast<int>(find(graph, name) - graph.nodes.data());
    };
    graph.nodes[static_cast<std::size_t>(index("context.0.pool"))].inputs = {index("backbone.0")};
    const Graph after = fold_batch_norm(graph);
    CHECK(count(after, Op::batch_norm) == 1);
    check_same_logits(graph, after);
}

TEST_CASE("fuse_relu removes every relu behind a convolution", "[plan]") {
    const Graph before = fold_batch_norm(small_graph());
    const Graph after = fuse_relu(before);
    CHECK(count(before, Op::relu) == 15);
    CHECK(count(after, Op::relu) == 0);
    REQUIRE(find(after, "backbone.2") != nullptr);
    CHECK(find(after, "backbone.2")->relu);
    CHECK_FALSE(find(after, "container.0")->relu);
    // The oracle computes no fused relu; split them again to compare.
    Graph split = after;
    for (std::size_t i = 0; i < split.nodes.size(); ++i) {
        if (!split.nodes[i].relu) continue;
        split.nodes[i].relu = false;
        Node relu;
        relu.op = Op::relu;
        relu.name = split.nodes[i].name + ".relu";
        relu.shape = split.nodes[i].shape;
        for (Node& node : split.nodes) {
            for (int& input : node.inputs) {
                if (input >= static_cast<int>(i) + 1)
                    ++input;
                else if (input == static_cast<int>(i))
                    input = static_cast<int>(i) + 1;
            }
        }
        relu.inputs = {static_cast<int>(i)};
        split.nodes.insert(split.nodes.begin() + static_cast<std::ptrdiff_t>(i) + 1, relu);
    }
    check_same_logits(before, split);
}

TEST_CASE("move_mean puts the mean in front of the context convolution", "[plan]") {
    const Graph before = small_graph();
    const Graph after = move_mean(before);
    CHECK(after.nodes.back().op == Op::conv2d);
    CHECK(after.nodes.back().name == "logits");
    CHECK(count(after, Op::mean_height) == 4);
    CHECK(multiply_accumulates(after, after.nodes.back()) * 4 ==
          multiply_accumulates(before, *find(before, "container.0")));
    check_same_logits(before, after);
}

TEST_CASE("fuse_context_tap joins pool, norm and mean", "[plan]") {
    const Graph before = move_mean(small_graph());
    const Graph after = fuse_context_tap(before);
    CHECK(count(after, Op::context_tap) == 4);
    CHECK(count(after, Op::average_pool) == 0);
    CHECK(count(after, Op::normalize) == 0);
    CHECK(count(after, Op::mean_height) == 0);
    check_same_logits(before, after);
}

TEST_CASE("sort_pooled_channels makes every pool keep adjacent channels", "[plan]") {
    // Without relus between convolution and pool the oracle can run the result.
    Graph before = fuse_context_tap(move_mean(fuse_relu(fold_batch_norm(small_graph()))));
    for (Node& node : before.nodes) node.relu = false;
    const Graph after = sort_pooled_channels(before);
    int sorted = 0;
    for (const Node& node : after.nodes) {
        if (node.op == Op::max_pool) CHECK(node.channel_stride == 1);
        sorted += node.channel_order.empty() ? 0 : 1;
    }
    CHECK(sorted == 4);  // two convolutions and the two branches that read them
    check_same_logits(before, after);
}

TEST_CASE("schedule_taps puts each branch behind its source", "[plan]") {
    const Graph before = fuse_context_tap(move_mean(small_graph()));
    const Graph after = schedule_taps(before);
    REQUIRE(after.nodes.size() == before.nodes.size());
    for (std::size_t i = 0; i < after.nodes.size(); ++i) {
        const Node& node = after.nodes[i];
        for (const int input : node.inputs) CHECK(input < static_cast<int>(i));
        if (node.op == Op::context_tap) CHECK(node.inputs.front() == static_cast<int>(i) - 1);
    }
    check_same_logits(before, after);
}

}  // namespace
}  // namespace lprnet::test
