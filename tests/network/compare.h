// Runs a plan step by step and compares each output with what it should be.
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "engine/plan/plan.h"

namespace lprnet::test {

// Calls visit(index in PyTorch's [c][h][w] order, float in the arena) for every element.
template <class Visit>
void for_each_element(const Tensor& tensor, const std::vector<int>& channel_order, float* arena,
                      Visit visit) {
    for (int stored = 0; stored < tensor.c; ++stored) {
        const int c =
            channel_order.empty() ? stored : channel_order[static_cast<std::size_t>(stored)];
        for (int y = 0; y < tensor.h; ++y) {
            for (int x = 0; x < tensor.w; ++x) {
                visit(static_cast<std::size_t>((c * tensor.h + y) * tensor.w + x),
                      arena[tensor.origin() + static_cast<std::size_t>(y * tensor.row()) +
                            static_cast<std::size_t>(x * tensor.c + stored)]);
            }
        }
    }
}

struct Agreement {
    double max_abs = 0.0;
    double cosine = 1.0;
};

// `expected(i)` is the value at index i in PyTorch's order.
template <class Expected>
Agreement agreement(const Step& step, float* arena, Expected expected) {
    Agreement result;
    double product = 0.0, left = 0.0, right = 0.0;
    for_each_element(step.output, step.channel_order, arena, [&](std::size_t i, float& found) {
        const double e = expected(i), f = found;
        if (!(std::abs(e - f) <= result.max_abs)) result.max_abs = std::abs(e - f);
        product += e * f;
        left += e * e;
        right += f * f;
    });
    if (result.max_abs != 0.0) result.cosine = product / std::sqrt(left * right);
    return result;
}

}  // namespace lprnet::test
