#include "engine/plan/place_memory.h"

#include <algorithm>

namespace lprnet {

std::size_t place_memory(std::vector<Placement>& placements) {
    std::vector<Placement*> order;
    for (Placement& placement : placements) {
        if (placement.host < 0) order.push_back(&placement);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const Placement* a, const Placement* b) { return a->bytes > b->bytes; });
    std::size_t arena = 0;
    std::vector<const Placement*> placed;  // by offset
    for (Placement* next : order) {
        std::size_t begin = 0;
        for (const Placement* other : placed) {
            if (other->last < next->first || next->last < other->first) continue;
            if (other->begin >= begin + next->bytes) break;
            begin = std::max(begin, align_up(other->begin + other->bytes));
        }
        next->begin = begin;
        arena = std::max(arena, begin + next->bytes);
        placed.insert(std::upper_bound(placed.begin(), placed.end(), next,
                                       [](const Placement* a, const Placement* b) {
                                           return a->begin < b->begin;
                                       }),
                      next);
    }
    for (Placement& placement : placements) {
        if (placement.host < 0) continue;
        placement.begin =
            placements[static_cast<std::size_t>(placement.host)].begin + placement.host_offset;
    }
    return align_up(arena);
}

}  // namespace lprnet
