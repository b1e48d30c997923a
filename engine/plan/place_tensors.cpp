#include "engine/plan/place_tensors.h"

#include <algorithm>

#include "engine/plan/graph_edit.h"
#include "kernels/weight_layout.h"

namespace lprnet {

std::size_t align_up(std::size_t bytes) noexcept {
    constexpr std::size_t kLine = kernels::kWeightAlignment;
    return (bytes + kLine - 1) / kLine * kLine;
}

std::vector<Placement> tensors_of(const Graph& graph) {
    const int count = node_count(graph);
    std::vector<Placement> placements(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        const Node& node = node_at(graph, i);
        Placement& placement = placements[static_cast<std::size_t>(i)];
        placement.tensor.shape = node.shape;
        int border_h = 0, border_w = 0;
        for (const Node& reader : graph.nodes) {
            if (std::find(reader.inputs.begin(), reader.inputs.end(), i) == reader.inputs.end()) {
                continue;
            }
            border_h = std::max(border_h, reader.pad_h);
            border_w = std::max(border_w, reader.pad_w);
        }
        placement.tensor.layout = NhwcLayout(node.shape, border_h, border_w);
        placement.first = placement.last = i;
        std::size_t channels_before = 0;
        for (const int input : node.inputs) {
            Placement& source = placements[static_cast<std::size_t>(input)];
            source.last = i;
            if (node.op == Op::concat) {
                source.host = i;
                source.host_offset = channels_before;
                source.tensor.layout = NhwcLayout::part(source.tensor.shape, node.shape.c);
                channels_before += static_cast<std::size_t>(source.tensor.shape.c);
                placement.first = std::min(placement.first, source.first);
            }
        }
    }
    // The input survives the run, so that the same image can be run again; the
    // logits survive it, so that they can be decoded.
    placements.front().last = count;
    placements.back().last = count;
    return placements;
}

std::size_t place_tensors(std::vector<Placement>& placements) {
    std::vector<Placement*> order;
    for (Placement& placement : placements) {
        if (placement.host < 0) order.push_back(&placement);
    }
    std::stable_sort(order.begin(), order.end(), [](const Placement* a, const Placement* b) {
        return a->tensor.bytes() > b->tensor.bytes();
    });
    std::size_t arena = 0;
    std::vector<const Placement*> placed;  // by offset
    for (Placement* next : order) {
        std::size_t begin = 0;
        for (const Placement* other : placed) {
            if (other->last < next->first || next->last < other->first) continue;
            if (other->tensor.begin >= begin + next->tensor.bytes()) break;
            begin = std::max(begin, align_up(other->tensor.begin + other->tensor.bytes()));
        }
        next->tensor.begin = begin;
        arena = std::max(arena, begin + next->tensor.bytes());
        placed.insert(std::upper_bound(placed.begin(), placed.end(), next,
                                       [](const Placement* a, const Placement* b) {
                                           return a->tensor.begin < b->tensor.begin;
                                       }),
                      next);
    }
    for (Placement& placement : placements) {
        if (placement.host < 0) continue;
        placement.tensor.begin = placements[static_cast<std::size_t>(placement.host)].tensor.begin +
                                 placement.host_offset * placement.tensor.element.bytes;
    }
    return align_up(arena) / sizeof(float);
}

}  // namespace lprnet
