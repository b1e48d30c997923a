// A tensor of the arena element by element, under PyTorch's indices: for tools and
// tests that compare, not for the read path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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
            for (int x = 0; x < tensor.w; ++x)
                visit(i++, arena[tensor.at(y, x, stored) / sizeof(float)]);
        }
    }
}

// Calls visit(index, real value) in the same way for a step's output of any elements.
template <class Visit>
void for_each_value(const Step& step, float* arena, Visit visit) {
    const Tensor& tensor = step.output;
    const std::vector<int>& channel_order = step.channel_order;
    if (!tensor.quantized()) {
        for_each_element(tensor, channel_order, arena,
                         [&](std::size_t i, float& x) { visit(i, static_cast<double>(x)); });
        return;
    }
    const char* origin = reinterpret_cast<const char*>(arena) + tensor.origin();
    const std::size_t plane =
        static_cast<std::size_t>(tensor.h) * static_cast<std::size_t>(tensor.w);
    for (int stored = 0; stored < tensor.c; ++stored) {
        const int c =
            channel_order.empty() ? stored : channel_order[static_cast<std::size_t>(stored)];
        const float factor = step.channel_factor.empty()
                                 ? 1.0f
                                 : step.channel_factor[static_cast<std::size_t>(stored)];
        const double unit = static_cast<double>(tensor.scale) * static_cast<double>(factor);
        std::size_t i = static_cast<std::size_t>(c) * plane;
        for (int y = 0; y < tensor.h; ++y) {
            for (int x = 0; x < tensor.w; ++x) {
                const std::ptrdiff_t element =
                    y * tensor.row() + std::ptrdiff_t{x} * tensor.c + stored;
                std::int32_t level = 0;  // little-endian: the low bytes come first
                std::memcpy(&level,
                            origin + element * static_cast<std::ptrdiff_t>(tensor.element_bytes),
                            tensor.element_bytes);
                visit(i++, level * unit);
            }
        }
    }
}

}  // namespace lprnet
