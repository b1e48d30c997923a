#include "engine/plan/graph_tensors.h"

#include <algorithm>
#include <cstddef>

#include "engine/plan/graph_edit.h"

namespace lprnet {

std::vector<Tensor> tensors_of(const Graph& graph) {
    std::vector<Tensor> tensors;
    for (int i = 0; i < node_count(graph); ++i) {
        const Shape& shape = node_at(graph, i).shape;
        int border_h = 0, border_w = 0;
        const Node* whole = nullptr;
        for (const Node& reader : graph.nodes) {
            if (!reads(reader, i)) continue;
            border_h = std::max(border_h, reader.pad_h);
            border_w = std::max(border_w, reader.pad_w);
            if (reader.op == Op::concat) whole = &reader;
        }
        Tensor tensor = {.shape = shape};
        tensor.layout = whole != nullptr ? NhwcLayout::part(shape, whole->shape.c)
                                         : NhwcLayout(shape, border_h, border_w);
        tensors.push_back(tensor);
    }
    return tensors;
}

std::vector<Placement> placements_of(const Graph& graph, const std::vector<Tensor>& tensors) {
    const int count = node_count(graph);
    std::vector<Placement> placements(tensors.size());
    for (int i = 0; i < count; ++i) {
        const Node& node = node_at(graph, i);
        Placement& placement = placements[static_cast<std::size_t>(i)];
        placement.bytes = tensors[static_cast<std::size_t>(i)].bytes();
        placement.first = placement.last = i;
        std::size_t before = 0;
        for (const int input : node.inputs) {
            Placement& source = placements[static_cast<std::size_t>(input)];
            source.last = i;
            if (node.op != Op::concat) continue;
            const Tensor& part = tensors[static_cast<std::size_t>(input)];
            source.host = i;
            source.host_offset = before;
            before += static_cast<std::size_t>(part.shape.c) * part.element.bytes;
            placement.first = std::min(placement.first, source.first);
        }
    }
    // The input survives the run, so that the same image can be run again; the
    // logits survive it, so that they can be decoded.
    placements.front().last = count;
    placements.back().last = count;
    return placements;
}

}  // namespace lprnet
