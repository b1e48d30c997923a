// A tensor of the arena element by element, under PyTorch's indices: for tools and
// tests that compare, not for the read path.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/plan/plan.h"

namespace lprnet {

// Calls visit(index in PyTorch's [c][h][w] order, float& in the arena) for every
// element. `channel_order` is the step's, empty for the input.
template <class Visit>
void for_each_element(const Tensor& tensor, const std::vector<int>& channel_order, float* arena,
                      Visit visit) {
    for (int stored = 0; stored < tensor.c; ++stored) {
        const int c =
            channel_order.empty() ? stored : channel_order[static_cast<std::size_t>(stored)];
        std::size_t i = static_cast<std::size_t>(c) * static_cast<std::size_t>(tensor.h) *
                        static_cast<std::size_t>(tensor.w);
        for (int y = 0; y < tensor.h; ++y) {
            float* row = arena + tensor.origin() + y * tensor.row() + stored;
            for (int x = 0; x < tensor.w; ++x) visit(i++, row[std::ptrdiff_t{x} * tensor.c]);
        }
    }
}

}  // namespace lprnet
