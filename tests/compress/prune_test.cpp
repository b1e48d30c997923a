// Magnitude pruning against its definition: what becomes zero, in which order, and what does not.
#include "engine/compress/prune.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/compress/layer_names.h"
#include "tests/catch.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

Graph random_graph() {
    return random_model({.classes = 7, .width = 0.25}).data().graph;
}

// Convolutions in a row: enough of a graph for pruning.
struct Conv {
    std::string name;
    int oc, ic, kh, kw;
    std::vector<float> weight;
};

Graph graph_of(const std::vector<Conv>& convs) {
    Graph graph;
    graph.nodes.emplace_back().shape.c = convs.front().ic;
    for (const Conv& conv : convs) {
        // An input of its own, so that the channels need not follow from the layer before.
        graph.nodes.emplace_back().shape.c = conv.ic;
        Node node;
        node.op = Op::conv2d;
        node.layer = layer_count(graph);
        node.name = conv.name;
        node.inputs = {static_cast<int>(graph.nodes.size()) - 1};
        node.shape.c = conv.oc;
        node.kh = conv.kh;
        node.kw = conv.kw;
        node.weight = conv.weight;
        graph.nodes.push_back(node);
    }
    return graph;
}

std::vector<PrunedLayer> must_prune(Graph& graph, const PruneOptions& options) {
    Result<std::vector<PrunedLayer>> report = prune(graph, options);
    if (!report) FAIL(report.error().message);
    return *std::move(report);
}

std::vector<float> weight_of(const Graph& graph, const std::string& name) {
    for (const Node& node : graph.nodes) {
        if (node.op == Op::conv2d && node.name == name)
            return {node.weight.begin(), node.weight.end()};
    }
    FAIL("no layer " << name);
    throw;
}

std::vector<std::size_t> zeros_at(std::span<const float> weight) {
    std::vector<std::size_t> zeros;
    for (std::size_t i = 0; i < weight.size(); ++i) {
        if (weight[i] == 0.0F) zeros.push_back(i);
    }
    return zeros;
}

std::vector<float> pruned_layer(const std::vector<float>& weight, double amount) {
    Graph graph = graph_of({{"a", static_cast<int>(weight.size()), 1, 1, 1, weight}});
    (void)must_prune(graph, {.amount = amount});
    return weight_of(graph, "a");
}

TEST_CASE("each layer loses its smallest weights and nothing else", "[compress]") {
    const Graph before = random_graph();
    for (const double amount : {0.0, 0.35, 0.5, 1.0}) {
        Graph after = before;
        const std::vector<PrunedLayer> report = must_prune(after, {.amount = amount});
        REQUIRE(report.size() == 16);
        std::size_t layer = 0;
        for (std::size_t n = 0; n < before.nodes.size(); ++n) {
            const Node& old_node = before.nodes[n];
            const Node& node = after.nodes[n];
            CHECK(node.bias == old_node.bias);
            CHECK(node.running_mean == old_node.running_mean);
            CHECK(node.running_var == old_node.running_var);
            if (node.op != Op::conv2d) {
                CHECK(node.weight == old_node.weight);
                continue;
            }
            INFO(node.name << " amount " << amount);
            const PrunedLayer& row = report[layer++];
            const auto expected = static_cast<std::size_t>(
                std::floor(amount * static_cast<double>(node.weight.size())));
            CHECK(row.name == node.name);
            CHECK(row.weights == node.weight.size());
            CHECK(row.zeros == expected);
            CHECK(zeros_at(node.weight).size() == expected);
            float largest_removed = 0.0F;
            float smallest_kept = std::numeric_limits<float>::infinity();
            double l1_removed = 0.0, l1 = 0.0;
            for (std::size_t i = 0; i < node.weight.size(); ++i) {
                const float w = std::abs(old_node.weight[i]);
                l1 += static_cast<double>(w);
                if (node.weight[i] == 0.0F) {
                    largest_removed = std::max(largest_removed, w);
                    l1_removed += static_cast<double>(w);
                } else {
                    CHECK(node.weight[i] == old_node.weight[i]);
                    smallest_kept = std::min(smallest_kept, w);
                }
            }
            CHECK(largest_removed <= smallest_kept);
            // Sums of the same terms in another order.
            CHECK(std::abs(row.l1 - l1) <= 1e-12 * l1);
            CHECK(std::abs(row.l1_removed - l1_removed) <= 1e-12 * l1);
        }
        CHECK(layer == report.size());
    }
}

TEST_CASE("shares of zeros and of norms", "[compress]") {
    Graph graph = graph_of({{"a", 4, 1, 1, 1, {3, -1, 4, 2}}});
    const PrunedLayer row = must_prune(graph, {.amount = 0.5}).front();
    CHECK(weight_of(graph, "a") == std::vector<float>{3, 0, 4, 0});
    CHECK(row.zero_share() == 0.5);
    CHECK(row.l1_share() == 0.3);
    CHECK(row.l2_share() == std::sqrt(5.0 / 30.0));
    const PrunedLayer nothing;
    CHECK(nothing.zero_share() == 0.0);
    CHECK(nothing.l1_share() == 0.0);
    CHECK(nothing.l2_share() == 0.0);
}

TEST_CASE("of equal weights the first ones go", "[compress]") {
    CHECK(zeros_at(pruned_layer(std::vector<float>(10, 0.5F), 0.35)) ==
          std::vector<std::size_t>{0, 1, 2});
    CHECK(zeros_at(pruned_layer({1, -1, 2, 1, -1}, 0.4)) == std::vector<std::size_t>{0, 1});
    CHECK(zeros_at(pruned_layer({1, -1, 0.5F, 1, -1}, 0.6)) == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("zeros that are there already are counted first", "[compress]") {
    CHECK(pruned_layer({1, 0, 2, -0.0F}, 0.5) == std::vector<float>{1, 0, 2, 0});
    CHECK(pruned_layer({0, 0, 2, 0}, 0.25) == std::vector<float>{0, 0, 2, 0});
    Graph graph = graph_of({{"a", 4, 1, 1, 1, {0, 0, 2, 0}}});
    const PrunedLayer row = must_prune(graph, {.amount = 0.25}).front();
    CHECK(row.zeros == 3);
    CHECK(row.l1_removed == 0.0);
}

TEST_CASE("a share is the decimal number that was typed", "[compress]") {
    std::vector<float> hundred(100);
    for (std::size_t i = 0; i < hundred.size(); ++i) hundred[i] = static_cast<float>(i + 1);
    for (int percent = 0; percent <= 100; ++percent) {
        const std::string text =
            "0." + std::string(percent < 10 ? "0" : "") + std::to_string(percent);
        const double amount = percent == 100 ? 1.0 : std::stod(text);
        CHECK(zeros_at(pruned_layer(hundred, amount)).size() == static_cast<std::size_t>(percent));
    }
    CHECK(zeros_at(pruned_layer(hundred, 0.2999)).size() == 29);
}

TEST_CASE("one threshold over all layers", "[compress]") {
    const Graph before = random_graph();
    Graph after = before;
    const std::vector<PrunedLayer> report = must_prune(
        after, {.amount = 0.35, .global = true, .layer_amounts = {{"backbone.20", 0.1}}});
    std::vector<float> kept, removed;
    std::size_t all = 0;
    for (std::size_t n = 0; n < before.nodes.size(); ++n) {
        const Node& node = before.nodes[n];
        if (node.op != Op::conv2d) continue;
        if (node.name == "backbone.20") {
            CHECK(zeros_at(after.nodes[n].weight).size() == node.weight.size() / 10);
            continue;
        }
        all += node.weight.size();
        for (std::size_t i = 0; i < node.weight.size(); ++i) {
            (after.nodes[n].weight[i] == 0.0F ? removed : kept).push_back(std::abs(node.weight[i]));
        }
    }
    CHECK(removed.size() == static_cast<std::size_t>(std::floor(0.35 * static_cast<double>(all))));
    CHECK(*std::max_element(removed.begin(), removed.end()) <=
          *std::min_element(kept.begin(), kept.end()));
    std::vector<double> shares;
    for (const PrunedLayer& row : report) shares.push_back(row.zero_share());
    CHECK(*std::max_element(shares.begin(), shares.end()) > 0.4);
}

TEST_CASE("of equal weights in two layers those of the first go", "[compress]") {
    Graph graph = graph_of({{"a", 3, 1, 1, 1, {1, 1, 1}}, {"b", 3, 1, 1, 1, {1, 0.5F, 1}}});
    (void)must_prune(graph, {.amount = 0.5, .global = true});
    CHECK(weight_of(graph, "a") == std::vector<float>{0, 0, 1});
    CHECK(weight_of(graph, "b") == std::vector<float>{1, 0, 1});
}

TEST_CASE("layers with a share of their own", "[compress]") {
    const Graph before = random_graph();
    Graph after = before;
    const std::vector<PrunedLayer> report = must_prune(
        after,
        {.amount = 0.5, .layer_amounts = {{"backbone.0", 0.0}, {"backbone.8.block.2", 0.25}}});
    for (const PrunedLayer& row : report) {
        const double amount = row.name == "backbone.0"           ? 0.0
                              : row.name == "backbone.8.block.2" ? 0.25
                                                                 : 0.5;
        INFO(row.name);
        CHECK(row.zeros ==
              static_cast<std::size_t>(std::floor(amount * static_cast<double>(row.weights))));
    }
    CHECK(weight_of(after, "backbone.0") == weight_of(before, "backbone.0"));
}

// 20 output channels are a block of 16 and one of 4; with 3 input channels that is 6 groups.
// Group g of block b and channel c has weights of that magnitude, with alternating signs.
std::vector<float> grouped(const std::vector<float>& magnitudes) {
    constexpr int kOc = 20, kIc = 3, kTaps = 2;
    std::vector<float> weight;
    for (int oc = 0; oc < kOc; ++oc) {
        for (int ic = 0; ic < kIc; ++ic) {
            for (int tap = 0; tap < kTaps; ++tap) {
                const float magnitude =
                    magnitudes[static_cast<std::size_t>(oc / kPruneGroup * kIc + ic)];
                weight.push_back((oc + tap) % 2 == 0 ? magnitude : -magnitude);
            }
        }
    }
    return weight;
}

std::vector<float> pruned_groups(const std::vector<float>& magnitudes, double amount) {
    Graph graph = graph_of({{"a", 20, 3, 1, 2, grouped(magnitudes)}});
    (void)must_prune(graph, {.amount = amount, .unit = PruneUnit::groups});
    return weight_of(graph, "a");
}

TEST_CASE("groups go as a whole, the weakest per weight first", "[compress]") {
    // The narrow groups, 3 to 5, have a quarter of the weights: their sums are the smaller ones.
    CHECK(pruned_groups({4, 5, 6, 7, 8, 9}, 1.0 / 6) == grouped({0, 5, 6, 7, 8, 9}));
    CHECK(pruned_groups({4, 5, 6, 4.5F, 8, 9}, 0.35) == grouped({0, 5, 6, 0, 8, 9}));
    CHECK(pruned_groups({4, 9, 6, 8, 1, 7}, 0.5) == grouped({0, 9, 0, 8, 0, 7}));
    CHECK(pruned_groups({4, 5, 6, 7, 8, 9}, 0.0) == grouped({4, 5, 6, 7, 8, 9}));
    CHECK(pruned_groups({4, 5, 6, 7, 8, 9}, 0.16) == grouped({4, 5, 6, 7, 8, 9}));
    CHECK(pruned_groups({4, 5, 6, 7, 8, 9}, 1.0) == grouped({0, 0, 0, 0, 0, 0}));
}

TEST_CASE("of equal groups those of the first channels go", "[compress]") {
    CHECK(pruned_groups({1, 1, 1, 1, 1, 1}, 0.7) == grouped({0, 0, 0, 0, 1, 1}));
    CHECK(pruned_groups({2, 1, 1, 1, 2, 1}, 0.35) == grouped({2, 0, 0, 1, 2, 1}));
}

TEST_CASE("one group does not care how its weights are spread", "[compress]") {
    std::vector<float> weight = grouped({1, 1, 1, 1, 1, 1});
    weight[0] = 5;  // channel 0 of output 0
    Graph graph = graph_of({{"a", 20, 3, 1, 2, weight}});
    (void)must_prune(graph, {.amount = 0.2, .unit = PruneUnit::groups});
    CHECK(zeros_at(weight_of(graph, "a")) == zeros_at([&] {
              std::vector<float> expected = grouped({1, 0, 1, 1, 1, 1});
              expected[0] = 5;
              return expected;
          }()));
}

TEST_CASE("groups of every layer of a network", "[compress]") {
    Graph graph = random_graph();
    const Graph before = graph;
    const std::vector<PrunedLayer> report =
        must_prune(graph, {.amount = 0.35, .unit = PruneUnit::groups});
    std::size_t layer = 0;
    for (const Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        INFO(node.name);
        const int ic = graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape.c;
        const int taps = node.kh * node.kw;
        std::size_t groups = 0, removed = 0, zeros = 0;
        for (int first = 0; first < node.shape.c; first += kPruneGroup) {
            for (int c = 0; c < ic; ++c) {
                const int last = std::min(first + kPruneGroup, node.shape.c);
                int zero = 0;
                for (int oc = first; oc < last; ++oc) {
                    for (int t = 0; t < taps; ++t) {
                        const int i = (oc * ic + c) * taps + t;
                        zero += node.weight[static_cast<std::size_t>(i)] == 0.0F ? 1 : 0;
                    }
                }
                ++groups;
                removed += zero > 0 ? 1 : 0;
                zeros += static_cast<std::size_t>(zero);
                CHECK((zero == 0 || zero == (last - first) * taps));
            }
        }
        CHECK(removed == static_cast<std::size_t>(std::floor(0.35 * static_cast<double>(groups))));
        CHECK(report[layer++].zeros == zeros);
    }
}

TEST_CASE("groups under one threshold", "[compress]") {
    Graph graph = graph_of({{"a", 20, 3, 1, 2, grouped({4, 5, 6, 7, 8, 9})},
                            {"b", 20, 3, 1, 2, grouped({1, 5, 6, 2, 3, 9})}});
    (void)must_prune(graph, {.amount = 1.0 / 3, .global = true, .unit = PruneUnit::groups});
    CHECK(weight_of(graph, "a") == grouped({0, 5, 6, 7, 8, 9}));
    CHECK(weight_of(graph, "b") == grouped({0, 5, 6, 0, 0, 9}));
}

TEST_CASE("what cannot be pruned is named and nothing is touched", "[compress]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const struct {
        PruneOptions options;
        const char* part;
    } cases[] = {
        {{.amount = -0.1}, "from 0 to 1, found -0.1"},
        {{.amount = 1.01}, "found 1.01"},
        {{.amount = nan}, "nan"},
        {{.amount = 0.5, .layer_amounts = {{"backbone.0", 2.0}}}, "'backbone.0'"},
        {{.amount = 0.5, .layer_amounts = {{"backbone.0", nan}}}, "'backbone.0'"},
        {{.amount = 0.5, .layer_amounts = {{"backbone.3", 0.0}}}, "no layer 'backbone.3'"},
        {{.amount = 0.5, .layer_amounts = {{"", 0.0}}},
         "backbone.6 (backbone.4.block.6), backbone.8.block.1 (backbone.8.block.0)"},
    };
    const Graph before = random_graph();
    for (const auto& c : cases) {
        Graph graph = before;
        const Result<std::vector<PrunedLayer>> report = prune(graph, c.options);
        REQUIRE_FALSE(report.ok());
        CHECK(report.error().code == ErrorCode::invalid_argument);
        CHECK_THAT(report.error().message, contains(c.part));
        CHECK(report.error().message.find('\n') == std::string::npos);
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
            CHECK(graph.nodes[n].weight == before.nodes[n].weight);
        }
    }
}

TEST_CASE("prune: layers by either of their names", "[compress]") {
    const Graph before = random_graph();
    const auto pruned = [&](const std::string& name) {
        Graph graph = before;
        PruneOptions options;
        options.layer_amounts[name] = 0.5;
        const Result<std::vector<PrunedLayer>> report = prune(graph, options);
        REQUIRE(report.ok());
        std::vector<std::size_t> zeros;
        for (const PrunedLayer& layer : *report) zeros.push_back(layer.zeros);
        return zeros;
    };
    const std::vector<LayerName> names = layer_names(before);
    REQUIRE(names.size() == 16);
    for (std::size_t i = 0; i < names.size(); ++i) {
        INFO(names[i].stored << " " << names[i].computed);
        CHECK(names[i].stored != names[i].computed);
        const std::vector<std::size_t> zeros = pruned(names[i].stored);
        CHECK(zeros == pruned(names[i].computed));
        for (std::size_t k = 0; k < zeros.size(); ++k) CHECK((zeros[k] > 0) == (k == i));

        Graph graph = before;
        PruneOptions twice;
        twice.layer_amounts = {{names[i].stored, 0.5}, {names[i].computed, 0.25}};
        const Result<std::vector<PrunedLayer>> report = prune(graph, twice);
        REQUIRE_FALSE(report.ok());
        CHECK_THAT(report.error().message, contains("'" + names[i].stored + "' is named twice"));
    }
    CHECK(names.front().stored == "backbone.0");
    CHECK(names.back().stored == "container.0");
    CHECK(names.back().computed == "logits");
}

}  // namespace
}  // namespace lprnet::test
