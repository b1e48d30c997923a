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
        .zero_percent = rounded_zero_percent(zeros_of(conv.weight), conv.weight.size()),
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

}  // namespace

std::vector<ConvChoice> choose_convs(const Graph& graph, const Tuning& tuning, bool panels,
                                     const kernels::KernelTable& table) {
    std::vector<ConvChoice> choices(graph.nodes.size());
    const auto choice_of = [&choices](int index) -> ConvChoice& {
        return choices[static_cast<std::size_t>(index)];
    };
    for (int i = 0; i < node_count(graph); ++i) {
        const Node& node = node_at(graph, i);
        if (node.op != Op::conv2d) continue;
        choice_of(i).shape = shape_of(graph, node);
        choice_of(i).algorithm = tuning.choose(choice_of(i).shape, table);
    }
    if (!panels) return choices;
    // Whether a convolution that is not sparse alone may become so. Without zeros the lists save
    // nothing: what the model sees is within its error.
    const auto may_change = [&](const ConvShape& shape) {
        return !tuning.named(shape) && shape.zero_percent > 0 && table.lanes > 1;
    };
    const auto cost = [&](const ConvChoice& alone, const Panels& where) {
        const ConvChoice choice = with_panels(alone, where);
        if (choice.algorithm != alone.algorithm && !may_change(alone.shape)) return kNever;
        return conv_cost(choice.shape, choice.algorithm, choice.panels, table);
    };
    // From the first convolution of each chain to the last, then back.
    std::vector<std::array<ChainCost, 2>> chains(graph.nodes.size());
    for (int i = 0; i < node_count(graph); ++i) {
        if (node_at(graph, i).op != Op::conv2d) continue;
        const bool chained = may_chain(graph, i);
        for (const bool output : {false, true}) {
            ChainCost best = {kNever, false};
            for (const bool input : {false, true}) {
                if (input && !chained) continue;
                double sum = cost(choice_of(i), {input, output});
                if (chained) {
                    sum +=
                        chains[static_cast<std::size_t>(only_input(node_at(graph, i)))][input].cost;
                }
                if (sum < best.cost) best = {sum, input};
            }
            chains[static_cast<std::size_t>(i)][output] = best;
        }
    }
    for (int i = node_count(graph) - 1; i >= 0; --i) {
        if (node_at(graph, i).op != Op::conv2d) continue;
        // Readers come later: what they chose is there already.
        const bool output = choice_of(i).panels.output;
        const bool input = chains[static_cast<std::size_t>(i)][output].input_panels;
        choice_of(i) = with_panels(choice_of(i), {input, output});
        if (input) choice_of(only_input(node_at(graph, i))).panels.output = true;
    }
    return choices;
}

}  // namespace lprnet
