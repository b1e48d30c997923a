// The rules of int8 by themselves: what its integers stand for, and which layer is which.
#include "engine/model/quantization.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "engine/model/model_data.h"
#include "engine/plan/plan.h"
#include "tests/catch.h"
#include "tests/kernels/tables.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

TEST_CASE("int8 weights stand for themselves times their channel's scale", "[model]") {
    Node conv;
    conv.weight_scale = {0.1f, 3.0e-39f};  // the second is subnormal
    std::vector<std::int8_t> weight;
    for (std::size_t o = 0; o < conv.weight_scale.size(); ++o) {
        for (int q = -kMostWeight; q <= kMostWeight; ++q) {
            weight.push_back(static_cast<std::int8_t>(q));
        }
    }
    conv.quantized_weight = SharedArray<std::int8_t>(std::vector<std::int8_t>(weight));
    const Floats real = real_weights(conv);
    REQUIRE(real.size() == weight.size());
    for (std::size_t i = 0; i < weight.size(); ++i) {
        const float scale = conv.weight_scale[i / (weight.size() / 2)];
        INFO(int{weight[i]} << " times " << scale);
        CHECK(real[i] == static_cast<float>(weight[i]) * scale);
        CHECK(real_weight(weight[i], scale) == weight[i] * static_cast<double>(scale));
    }
}

// conv -> relu -> pool that keeps every second channel -> conv
Graph pooled(float output_scale, std::vector<float> factor) {
    Graph graph;
    graph.nodes.resize(5);
    for (int i = 1; i < 5; ++i) graph.nodes[static_cast<std::size_t>(i)].inputs = {i - 1};
    graph.nodes[1].op = graph.nodes[4].op = Op::conv2d;
    graph.nodes[1].output_scale = output_scale;
    graph.nodes[1].output_factor = std::move(factor);
    graph.nodes[2].op = Op::relu;
    graph.nodes[3].op = Op::max_pool;
    graph.nodes[3].channel_stride = 2;
    return graph;
}

TEST_CASE("what a layer reads is known through pools and ReLUs", "[model]") {
    const Graph graph = pooled(0.25f, {1.0f, 0.5f, 0.125f, 0.75f, 0.375f});
    const ReadLevels read = levels_read_by(graph, graph.nodes.back());
    CHECK(read.scale == 0.25);
    CHECK(read.factor == std::vector<float>{1.0f, 0.125f, 0.375f});
    // The pixels' levels.
    const ReadLevels pixels = levels_read_by(graph, graph.nodes[1]);
    CHECK(pixels.scale == 1.0);
    CHECK(pixels.factor.empty());
    const Graph plain = pooled(2.0f, {});
    CHECK(levels_read_by(plain, plain.nodes.back()).factor.empty());
}

TEST_CASE("the levels of pixels are the pixels", "[model]") {
    const Model loaded = random_model({});
    const ModelData& model = loaded.data();
    Node node = levels_node(model.graph.nodes.front(), 0);
    set_levels(model.preprocess, node);
    CHECK(node.shape == model.graph.input_shape());
    REQUIRE(node.level_factor.size() == static_cast<std::size_t>(node.shape.c));
    for (std::size_t c = 0; c < node.level_factor.size(); ++c) {
        for (const float level : {0.0f, 1.0f, 127.0f, 255.0f}) {
            const float normalized = (level - model.preprocess.mean[c]) * model.preprocess.scale[c];
            CHECK(std::abs(normalized * node.level_factor[c] + node.level_offset[c] - level) <
                  1e-3f);
        }
    }
}

TEST_CASE("passes keep the number of a layer", "[model]") {
    const Model model = random_model({});
    const Graph& graph = model.data().graph;
    std::vector<const Node*> convolutions;
    for (const Node& node : graph.nodes) {
        if (node.op == Op::conv2d) {
            convolutions.push_back(&node);
        } else {
            CHECK(node.layer == -1);
        }
    }
    REQUIRE(layer_count(graph) == static_cast<int>(convolutions.size()));
    for (int i = 0; i < layer_count(graph); ++i) {
        CHECK(convolutions[static_cast<std::size_t>(i)]->layer == i);
    }
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        const Result<Plan> plan = build_plan(graph, *table);
        REQUIRE(plan.ok());
        std::set<int> found;
        for (const StepInfo& step : plan->info) {
            INFO(step.name);
            CHECK((step.layer >= 0) == (step.op == Op::conv2d));
            if (step.op != Op::conv2d) continue;
            CHECK(found.insert(step.layer).second);
            const Node& conv = *convolutions[static_cast<std::size_t>(step.layer)];
            CHECK(step.conv_shape.oc == conv.shape.c);
            CHECK(step.conv_shape.kh == conv.kh);
            CHECK(step.conv_shape.kw == conv.kw);
        }
        CHECK(found.size() == convolutions.size());
    }
}

}  // namespace
}  // namespace lprnet::test
