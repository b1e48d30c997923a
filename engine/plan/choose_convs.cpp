#include "engine/plan/choose_convs.h"

#include <array>
#include <cstdint>
#include <limits>

#include "engine/plan/graph_edit.h"
#include "kernels/conv2d_sparse_f32/conv2d_sparse_f32.h"

namespace lprnet {
namespace {

// 32 bits, as many as a float has, make vectors of this loop.
std::uint32_t zeros_of(const Floats& weight) {
    std::uint32_t zeros = 0;
    for (const float w : weight) zeros += w == 0.0f ? 1U : 0U;
    return zeros;
}

ConvShape shape_of(const Graph& graph, const Node& conv) {
    return {
        .ic = node_at(graph, only_input(conv)).shape.c,
        .oc = conv.shape.c,
        .kh = conv.kh,
        .kw = conv.kw,
        .oh = conv.shape.h,
        .ow = conv.shape.w,
    };
}

// Whether pixels could stay in panels between convolution `reader` and what it reads.
bool may_chain(const Graph& graph, int reader) {
    const Node& node = node_at(graph, reader);
    if (node.op != Op::conv2d || node.kh != 2 * node.pad_h + 1 || node.kw != 2 * node.pad_w + 1) {
        return false;
    }
    const int source = only_input(node);
    return is_private(graph, source, Op::conv2d) &&
           node_at(graph, source).shape.c % kernels::kSparseGroup == 0;
}

constexpr double kNever = std::numeric_limits<double>::infinity();

// What is chosen for one convolution alone, with its pixels in panels on one side, both or neither:
// only sparse ones know panels.
ConvChoice with_panels(ConvChoice choice, const Panels& panels) {
    if (!panels.input && !panels.output) return choice;
    choice.algorithm = {.sparse = true};
    choice.panels = panels;
    return choice;
}

// The costs of a convolution with its pixels in NHWC, or in panels, behind it, and whether they
// then had better be in panels before it; those of all in the chain that ends with it.
struct ChainCost {
    double cost = 0.0;
    bool input_panels = false;
};

// By node, with and without panels behind it.
using Chains = std::vector<std::array<ChainCost, 2>>;

// Each convolution by itself. A quantized network has one kernel for each kind.
std::vector<ConvChoice> choose_alone(const Graph& graph, const Tuning& tuning,
                                     const kernels::KernelTable& table) {
    std::vector<ConvChoice> choices(graph.nodes.size());
    const bool quantized = graph.quantized();
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const Node& node = graph.nodes[i];
        if (node.op != Op::conv2d) continue;
        choices[i].shape = shape_of(graph, node);
        if (quantized) continue;
        choices[i].shape.zero_percent =
            rounded_zero_percent(zeros_of(node.weight), node.weight.size());
        choices[i].algorithm = tuning.choose(choices[i].shape, table);
    }
    return choices;
}

// Of one convolution with panels there, whatever it was by itself.
double cost_with(const ConvChoice& alone, const Panels& where, const Tuning& tuning,
                 const kernels::KernelTable& table) {
    const ConvChoice choice = with_panels(alone, where);
    // Whether a convolution that is not sparse alone may become so. Without zeros the lists save
    // nothing: what the model sees is within its error.
    const bool may_change =
        !tuning.named(alone.shape) && alone.shape.zero_percent > 0 && table.lanes > 1;
    if (choice.algorithm != alone.algorithm && !may_change) return kNever;
    return conv_cost(choice.shape, choice.algorithm, choice.panels, table);
}

// From the first convolution of each chain to the last.
Chains chain_costs(const Graph& graph, const std::vector<ConvChoice>& alone, const Tuning& tuning,
                   const kernels::KernelTable& table) {
    Chains chains(graph.nodes.size());
    for (int i = 0; i < node_count(graph); ++i) {
        if (node_at(graph, i).op != Op::conv2d) continue;
        const auto at = static_cast<std::size_t>(i);
        const ChainCost* before =
            may_chain(graph, i)
                ? chains[static_cast<std::size_t>(only_input(node_at(graph, i)))].data()
                : nullptr;
        for (const bool output : {false, true}) {
            ChainCost best = {kNever, false};
            for (const bool input : {false, true}) {
                if (input && before == nullptr) continue;
                double sum = cost_with(alone[at], {input, output}, tuning, table);
                if (before != nullptr) sum += before[input].cost;
                if (sum < best.cost) best = {sum, input};
            }
            chains[at][output] = best;
        }
    }
    return chains;
}

}  // namespace

std::vector<ConvChoice> choose_convs(const Graph& graph, const Tuning& tuning, bool panels,
                                     const kernels::KernelTable& table) {
    std::vector<ConvChoice> choices = choose_alone(graph, tuning, table);
    if (!panels || graph.quantized()) return choices;
    const Chains chains = chain_costs(graph, choices, tuning, table);
    // Back from the last: readers come later, what they chose is there already.
    for (int i = node_count(graph) - 1; i >= 0; --i) {
        if (node_at(graph, i).op != Op::conv2d) continue;
        const auto at = static_cast<std::size_t>(i);
        const bool output = choices[at].panels.output;
        const bool input = chains[at][output].input_panels;
        choices[at] = with_panels(choices[at], {input, output});
        if (!input) continue;
        choices[static_cast<std::size_t>(only_input(node_at(graph, i)))].panels.output = true;
    }
    return choices;
}

}  // namespace lprnet
