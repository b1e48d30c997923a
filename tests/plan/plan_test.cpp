// The laid-out plan: places in the arena, borders, cost figures.
#include "engine/plan/plan.h"

#include "engine/run/run.h"
#include "kernels/dispatch.h"
#include "tests/catch.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

Plan plan_of(const Model& model) {
    Result<Plan> plan =
        build_plan(model.data().graph, kernels::best_table(kernels::detect_cpu_features()));
    if (!plan) FAIL(plan.error().message);
    return std::move(*plan);
}

TEST_CASE("the plan of LPRNet has the size that its README quotes", "[plan]") {
    const Plan plan = plan_of(random_model({}));
    CHECK(plan.arena_size * sizeof(float) <= 4U << 20);
    std::int64_t macs = 0;
    for (const Step& step : plan.steps) macs += step.multiply_accumulates;
    // 144.41 M as trained, of which the context's 516 * 68 * 4 * 18 shrink to a quarter.
    CHECK(macs + 516 * 68 * 3 * 18 == 144411264);
    CHECK(plan.steps.size() == 24);
    CHECK(plan.output.c == 68);
    CHECK(plan.output.w == 18);
}

TEST_CASE("every tensor lies inside the arena", "[plan]") {
    for (const double width : {0.3, 1.0, 1.25}) {
        const Plan plan = plan_of(random_model({.width = width}));
        CHECK(plan.input.begin + plan.input.size_bytes() <= plan.arena_size * sizeof(float));
        for (const Step& step : plan.steps) {
            INFO(step.name);
            CHECK(step.output.begin + step.output.size_bytes() <= plan.arena_size * sizeof(float));
        }
    }
}

TEST_CASE("a run leaves the input as it was", "[plan]") {
    const Plan plan = plan_of(random_model({}));
    kernels::AlignedBuffer arena(plan.arena_size);
    float* input = plan.input.floats(arena.data());
    for (std::size_t i = 0; i < plan.input.size(); ++i)
        input[i] = static_cast<float>(i % 17) - 8.0f;
    run_plan(plan, arena.data());
    std::vector<float> first(plan.output.floats(arena.data()),
                             plan.output.floats(arena.data()) + plan.output.size());
    for (std::size_t i = 0; i < plan.input.size(); ++i) {
        REQUIRE(input[i] == static_cast<float>(i % 17) - 8.0f);
    }
    run_plan(plan, arena.data());
    CHECK(std::vector<float>(plan.output.floats(arena.data()),
                             plan.output.floats(arena.data()) + plan.output.size()) == first);
}

TEST_CASE("what lay in the arena before does not matter", "[plan]") {
    const Plan plan = plan_of(random_model({}));
    std::vector<std::vector<float>> outputs;
    for (const float before : {0.0f, 1e30f}) {
        kernels::AlignedBuffer arena(plan.arena_size);
        std::fill(arena.data(), arena.data() + arena.size(), before);
        float* input = plan.input.floats(arena.data());
        for (std::size_t i = 0; i < plan.input.size(); ++i)
            input[i] = static_cast<float>(i % 5) - 2.0f;
        run_plan(plan, arena.data());
        outputs.emplace_back(plan.output.floats(arena.data()),
                             plan.output.floats(arena.data()) + plan.output.size());
    }
    CHECK(outputs[0] == outputs[1]);
}

TEST_CASE("a node that no kernel computes is an error", "[plan]") {
    Graph graph = random_model({.width = 0.25}).data().graph;
    graph.nodes.pop_back();  // the mean: now the context cannot be fused
    const auto plan = build_plan(graph, kernels::best_table(kernels::detect_cpu_features()));
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == ErrorCode::unsupported);
    CHECK_THAT(plan.error().message, contains("context.0.pool"));
}

}  // namespace
}  // namespace lprnet::test
