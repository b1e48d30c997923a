// How well the output of a step agrees with what it should be.
#pragma once

#include <cmath>

#include "engine/plan/tensor_elements.h"

namespace lprnet::test {

struct Agreement {
    double max_abs = 0.0;
    double cosine = 1.0;
};

// `expected(i)` is the value at index i in PyTorch's order.
template <class Expected>
Agreement agreement(const Step& step, float* arena, Expected expected) {
    Agreement result;
    double product = 0.0, left = 0.0, right = 0.0;
    for_each_value(step, arena, [&](std::size_t i, double f) {
        const double e = expected(i);
        if (!(std::abs(e - f) <= result.max_abs)) result.max_abs = std::abs(e - f);
        product += e * f;
        left += e * e;
        right += f * f;
    });
    if (result.max_abs != 0.0) result.cosine = product / std::sqrt(left * right);
    return result;
}

}  // namespace lprnet::test
