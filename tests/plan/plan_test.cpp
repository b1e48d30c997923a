// The laid-out plan: places in the arena, borders, cost figures.
#include "engine/plan/plan.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/plan/place_memory.h"
#include "kernels/dispatch.h"
#include "tests/catch.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

Plan plan_of(const Model& model) {
    Result<Plan> plan =
        build_plan(model.data().graph, kernels::best_table(kernels::detect_cpu_features()));
    if (!plan) FAIL(plan.error().message);
    return std::move(*plan);
}

TEST_CASE("the plan of LPRNet has the size that is quoted of it", "[plan]") {
    const Plan plan = plan_of(random_model({}));
    CHECK(plan.arena_size * sizeof(float) <= 4U << 20);
    std::int64_t macs = 0;
    for (const StepInfo& step : plan.info) macs += step.multiply_accumulates;
    // 144.41 M as trained, of which the context's 516 * 68 * 4 * 18 shrink to a quarter.
    CHECK(macs + 516 * 68 * 3 * 18 == 144411264);
    CHECK(plan.info.size() == 24);
    CHECK(plan.output.shape.c == 68);
    CHECK(plan.output.shape.w == 18);
}

TEST_CASE("every tensor lies inside the arena", "[plan]") {
    for (const double width : {0.3, 1.0, 1.25}) {
        const Plan plan = plan_of(random_model({.width = width}));
        CHECK(plan.input.begin + plan.input.bytes() <= plan.arena_size * sizeof(float));
        for (const StepInfo& step : plan.info) {
            INFO(step.name);
            CHECK(step.output.begin + step.output.bytes() <= plan.arena_size * sizeof(float));
        }
    }
}

TEST_CASE("a run leaves the input as it was", "[plan]") {
    Network network = make_network(random_model({}), *tables_under_test().back());
    const std::span<float> input = network.input();
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(i % 17) - 8.0f;
    REQUIRE(network.run());
    const std::vector<float> first = logits_of(network);
    for (std::size_t i = 0; i < input.size(); ++i) {
        REQUIRE(input[i] == static_cast<float>(i % 17) - 8.0f);
    }
    REQUIRE(network.run());
    CHECK(logits_of(network) == first);
}

TEST_CASE("what lay in the arena before does not matter", "[plan]") {
    for (const double zeros : {0.0, 0.8}) {
        const Model model = random_model({.zeros = zeros});
        std::vector<std::vector<float>> outputs;
        for (const float before : {0.0f, 1e30f}) {
            Network network = make_network(model, *tables_under_test().back());
            std::fill_n(network.arena(), network.arena_bytes() / sizeof(float), before);
            const std::span<float> input = network.input();
            for (std::size_t i = 0; i < input.size(); ++i)
                input[i] = static_cast<float>(i % 5) - 2.0f;
            REQUIRE(network.run());
            outputs.push_back(logits_of(network));
        }
        CHECK(outputs[0] == outputs[1]);
    }
}

const StepInfo& step_named(const Plan& plan, const std::string& name) {
    for (const StepInfo& step : plan.info) {
        if (step.name == name) return step;
    }
    FAIL("no step " << name);
    return plan.info.front();
}

// 0 if the output is not in panels.
int pixels_of_panels(const StepInfo& step) {
    return step.output.panels() != nullptr ? step.output.panels()->pixels() : 0;
}

template <class Layout>
constexpr bool has_rows = requires(const Layout& layout) {
    layout.row();
};
static_assert(has_rows<NhwcLayout> && !has_rows<PanelLayout>);
template <class Layout>
constexpr bool has_border = requires(const Layout& layout) {
    layout.border_h();
};
static_assert(has_border<NhwcLayout> && !has_border<PanelLayout>);

TEST_CASE("pixels stay in panels through a block of sparse convolutions", "[plan]") {
    const Model model = random_model({.zeros = 0.8});
    for (const kernels::KernelTable* table : tables_under_test()) {
        if (table->lanes == 1) continue;  // the reference
        INFO(table->name);
        const Result<Plan> plan = build_plan(model.data().graph, *table);
        REQUIRE(plan.ok());
        for (const std::string block : {"backbone.4", "backbone.8", "backbone.11"}) {
            INFO(block);
            CHECK(step_named(*plan, block + ".block.3").kernel ==
                  "conv2d_sparse_f32 3x1 from panels to panels");
            CHECK(step_named(*plan, block + ".block.5").kernel ==
                  "conv2d_sparse_f32 1x3 from panels to panels");
        }
        CHECK(step_named(*plan, "backbone.13").kernel == "conv2d_sparse_f32 1x1 from panels");
        const Result<Plan> none = build_plan(model.data().graph, *table, {.whole_tensors = true});
        REQUIRE(none.ok());
        for (const StepInfo& step : none->info) CHECK(step.output.panels() == nullptr);
    }
}

TEST_CASE("pixels stay in panels between two sparse 1x1 convolutions", "[plan]") {
    const Model model = random_model({.zeros = 0.35});
    const kernels::KernelTable& table = kernels::best_table(kernels::detect_cpu_features());
    const auto planned = [&](const char* tuning) {
        PlanOptions options;
        options.tuning = *parse_tuning(std::string("lprnet tuning 1\n") + tuning, "t");
        Result<Plan> plan = build_plan(model.data().graph, table, options);
        if (!plan) FAIL(plan.error().message);
        return std::move(*plan);
    };
    const Plan plan = planned("");
    CHECK(step_named(plan, "backbone.10").kernel == "conv2d_sparse_f32 1x1 to panels");
    CHECK(pixels_of_panels(step_named(plan, "backbone.10")) == table.sparse_pixels);
    CHECK(step_named(plan, "backbone.11.block.1").kernel == "conv2d_sparse_f32 1x1 from panels");
    CHECK(pixels_of_panels(step_named(plan, "backbone.11.block.1")) == 0);
    // A pool and a context branch read it: NHWC.
    CHECK(step_named(plan, "backbone.13").kernel == "conv2d_sparse_f32 1x1");
    for (const StepInfo& step : plan.info) {
        INFO(step.name);
        CHECK(step.output.begin + step.output.bytes() <= plan.arena_size * sizeof(float));
        if (step.op == Op::conv2d) CHECK(step.conv_shape.zero_percent == 35);
    }

    // Not if the reader is something else.
    const Plan split = planned("conv 256 64 1x1 18x44 35% direct\n");
    CHECK(step_named(split, "backbone.10").kernel == "conv2d_sparse_f32 1x1");
    CHECK(step_named(split, "backbone.11.block.1").kernel == "conv2d_f32 1x1");
    // A choice for other weights does not count.
    CHECK(pixels_of_panels(step_named(planned("conv 256 64 1x1 18x44 direct\n"), "backbone.10")) >
          0);
}

TEST_CASE("a dense network is planned without sparse convolutions", "[plan]") {
    const Model model = random_model({});
    for (const kernels::IsaEntry& isa : kernels::all_isas()) {
        const Result<Plan> plan = build_plan(model.data().graph, *isa.table);
        REQUIRE(plan.ok());
        for (const StepInfo& step : plan->info) {
            INFO(isa.table->name << " " << step.name);
            CHECK_FALSE(step.algorithm.sparse);
        }
    }
}

TEST_CASE("buffers of any size are aligned zeros", "[plan]") {
    constexpr std::size_t kMebi = std::size_t{1} << 18;  // floats
    for (const std::size_t size :
         {std::size_t{1}, kMebi - 1, kMebi, kMebi + 1, 2 * kMebi + kMebi / 4, 5 * kMebi}) {
        kernels::AlignedBuffer buffer(size);
        REQUIRE(buffer.size() == size);
        CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
        CHECK(std::count(buffer.data(), buffer.data() + size, 0.0f) ==
              static_cast<std::ptrdiff_t>(size));
        buffer.data()[size - 1] = 1.0f;
        const kernels::AlignedBuffer moved = std::move(buffer);
        CHECK(moved.data()[size - 1] == 1.0f);
    }
}

TEST_CASE("a node that no kernel computes is an error", "[plan]") {
    Graph graph = random_model({.width = 0.25}).data().graph;
    graph.nodes.pop_back();  // the mean: now the context cannot be fused
    const auto plan = build_plan(graph, kernels::best_table(kernels::detect_cpu_features()));
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == ErrorCode::unsupported);
    CHECK_THAT(plan.error().message, contains("context.0.pool"));
}

// The input, and more.
Graph small_graph(std::vector<Node> nodes) {
    Node input;
    input.name = "input";
    input.shape = {8, 24, 94};
    Graph graph;
    graph.nodes.push_back(input);
    for (Node& node : nodes) graph.nodes.push_back(std::move(node));
    return graph;
}
Node small_node(Op op, std::vector<int> inputs, const Shape& shape) {
    Node node;
    node.op = op;
    node.name = op_name(op);
    node.inputs = std::move(inputs);
    node.shape = shape;
    return node;
}
Node small_conv(int input, const Shape& shape, int pad) {
    Node conv = small_node(Op::conv2d, {input}, shape);
    conv.kh = conv.kw = 1 + 2 * pad;
    conv.pad_h = conv.pad_w = pad;
    conv.weight =
        Floats(std::vector<float>(static_cast<std::size_t>(shape.c * 8 * conv.kh * conv.kw), 0.5f));
    conv.bias.assign(static_cast<std::size_t>(shape.c), 0.0f);
    return conv;
}

TEST_CASE("graphs whose parts fit nowhere are errors", "[plan]") {
    const Shape whole = {8, 24, 94}, column = {8, 1, 94};
    const auto tap = [&] { return small_node(Op::context_tap, {0}, column); };
    Graph many = small_graph({});
    for (int i = 0; i < 9; ++i) many.nodes.push_back(tap());
    many.nodes.push_back(small_node(Op::concat, {1, 2, 3, 4, 5, 6, 7, 8, 9}, {72, 1, 94}));
    Graph padded_context =
        small_graph({tap(), small_node(Op::concat, {1}, column), small_conv(2, {4, 1, 94}, 1)});
    const struct {
        Graph graph;
        const char* message;
    } cases[] = {
        {small_graph({tap()}), "layer 'context_tap': no kernel computes context_tap on its own"},
        {small_graph({tap(), small_conv(1, {4, 1, 94}, 0)}),
         "layer 'context_tap': no kernel computes context_tap on its own"},
        {small_graph({small_node(Op::max_pool, {0}, whole), small_node(Op::max_pool, {0}, whole),
                      small_node(Op::concat, {1, 2}, {16, 24, 94})}),
         "layer 'concat': no kernel computes concat on its own"},
        {small_graph({tap(), small_node(Op::concat, {1, 1}, {16, 1, 94})}),
         "layer 'context_tap': no kernel computes context_tap on its own"},
        {many, "layer 'concat': more than 8 branches"},
        {small_graph({small_conv(0, {4, 24, 94}, 1)}),
         "layer 'input': a layer pads its output, which has no border"},
        {padded_context, "layer 'concat': a layer pads its output, which has no border"},
    };
    for (const auto& c : cases) {
        for (const kernels::KernelTable* table : tables_under_test()) {
            INFO(table->name);
            const Result<Plan> plan = build_plan(c.graph, *table);
            REQUIRE_FALSE(plan.ok());
            CHECK(plan.error().code == ErrorCode::unsupported);
            CHECK(plan.error().message == c.message);
        }
    }
    // One fewer, and all is well.
    many.nodes.erase(many.nodes.begin() + 9);
    many.nodes.back().inputs.pop_back();
    many.nodes.back().shape.c = 64;
    CHECK(build_plan(many, *tables_under_test().back()).ok());
}

TEST_CASE("packed memory is counted, then given piece by piece", "[plan]") {
    PackedMemory packed;
    const auto take_all = [&] {
        struct {
            float* first;
            std::int32_t* none;
            std::int32_t* second;
            std::uint16_t *list, *next_list;
        } taken = {packed.take<float>(17), packed.take<std::int32_t>(0),
                   packed.take<std::int32_t>(16), packed.take_lists(5), packed.take_lists(1)};
        return taken;
    };
    CHECK(packed.counting());
    const auto counted = take_all();
    CHECK(counted.first == nullptr);
    CHECK(counted.second == nullptr);
    CHECK(counted.next_list == nullptr);
    const std::size_t bytes = packed.bytes();
    CHECK(bytes == 3 * 64 + 6 * 2);
    packed.allocate();
    CHECK_FALSE(packed.counting());
    CHECK(packed.bytes() == 0);
    const auto given = take_all();
    CHECK(packed.bytes() == bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(given.first) % 64 == 0);
    CHECK(reinterpret_cast<std::byte*>(given.second) ==
          reinterpret_cast<std::byte*>(given.first) + 128);
    CHECK(given.next_list == given.list + 5);
    CHECK(given.first[16] == 0.0f);
}

TEST_CASE("pieces of memory that live at the same time do not overlap", "[plan]") {
    std::vector<Placement> placements;
    for (int i = 0; i < 40; ++i) {
        placements.push_back({.bytes = static_cast<std::size_t>(i * 37 % 300),
                              .first = i * 7 % 20,
                              .last = i * 7 % 20 + i % 6});
    }
    placements.push_back({.bytes = 12, .first = 3, .last = 9, .host = 5, .host_offset = 24});
    const std::size_t bytes = place_memory(placements);
    CHECK(bytes % 64 == 0);
    CHECK(placements.back().begin == placements[5].begin + 24);
    placements.pop_back();
    std::size_t end = 0;
    for (const Placement& a : placements) {
        CHECK(a.begin % 64 == 0);
        end = std::max(end, a.begin + a.bytes);
        for (const Placement& b : placements) {
            if (&a == &b || a.last < b.first || b.last < a.first) continue;
            CHECK((a.begin + a.bytes <= b.begin || b.begin + b.bytes <= a.begin));
        }
    }
    CHECK(end <= bytes);
    CHECK(bytes < end + 64);
}

}  // namespace
}  // namespace lprnet::test
