#include "engine/plan/choose_convs.h"

#include <cstdint>

#include "engine/plan/graph_edit.h"

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
    if (node.op != Op::conv2d || node.kh != 1 || node.kw != 1 || node.pad_h != 0 || node.pad_w != 0)
        return false;
    const int source = only_input(node);
    return is_private(graph, source, Op::conv2d) &&
           node_at(graph, source).shape.c % kernels::kSparseGroup == 0;
}

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
    // Without zeros the lists save nothing: what the model sees is within its error.
    const auto by_default = [&](const ConvChoice& c) {
        return !tuning.named(c.shape) && c.shape.zero_percent > 0 && table.lanes > 1;
    };
    const auto cost = [&](const ConvChoice& c) {
        return conv_cost(c.shape, c.algorithm, c.panels, table);
    };
    for (int i = 0; i < node_count(graph); ++i) {
        if (!may_chain(graph, i)) continue;
        ConvChoice& reader = choice_of(i);
        ConvChoice& source = choice_of(only_input(node_at(graph, i)));
        ConvChoice chained_reader = reader, chained_source = source;
        chained_reader.algorithm = chained_source.algorithm = {.sparse = true};
        chained_reader.panels.input = chained_source.panels.output = true;
        const bool both_sparse = reader.algorithm.sparse && source.algorithm.sparse;
        if (both_sparse ||
            (by_default(reader) && by_default(source) &&
             cost(chained_reader) + cost(chained_source) < cost(reader) + cost(source))) {
            reader = chained_reader;
            source = chained_source;
        }
    }
    return choices;
}

}  // namespace lprnet
