// The end of the network on the CPU against the definition, in double.
#include "engine/bpu/context_tail.h"

#include <cmath>
#include <limits>
#include <random>

#include "engine/model/model_data.h"
#include "tests/bpu/tail_reference.h"
#include "tests/catch.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

TEST_CASE("the tail computes the definition", "[bpu]") {
    const Model model = random_model({.width = 0.5, .seed = 3});
    const Graph& graph = model.data().graph;
    Result<bpu::ContextTail> tail = bpu::ContextTail::create(graph);
    REQUIRE(tail.ok());
    REQUIRE(tail->shapes().size() == 4);
    CHECK(tail->shapes()[3] == Shape{68, 4, 18});
    std::mt19937 random(5);
    std::vector<std::vector<float>> branches;
    double size = 1.0;  // branches as different as the network's
    for (const Shape& shape : tail->shapes()) {
        std::vector<float>& branch =
            branches.emplace_back(static_cast<std::size_t>(shape.c * shape.h * shape.w));
        for (float& x : branch) x = static_cast<float>(size * static_cast<double>(random() % 1000));
        size *= 0.03;
    }
    std::vector<float> logits(68 * 18);
    tail->run(branches, logits.data());
    check_tail(graph, tail->shapes(), branches, logits);
}

TEST_CASE("a tail of another kind is refused", "[bpu]") {
    const Model model = random_model({.width = 0.25});
    Graph graph = model.data().graph;
    for (Node& node : graph.nodes)
        if (node.name == "container.0") node.weight = {};
    Result<bpu::ContextTail> tail = bpu::ContextTail::create(graph);
    REQUIRE_FALSE(tail.ok());
    CHECK(tail.error().code == ErrorCode::unsupported);
    CHECK_THAT(tail.error().message, contains("container.0"));
    CHECK_FALSE(bpu::ContextTail::create(Graph{}).ok());
}

}  // namespace
}  // namespace lprnet::test
