// How well the output of a step agrees with what it should be.
#pragma once

#include <cmath>
#include <vector>

#include "engine/run/network.h"

namespace lprnet::test {

struct Agreement {
    double max_abs = 0.0;
    double cosine = 1.0;
};

// `expected(i)` is the value at index i in PyTorch's order.
template <class Expected>
Agreement agreement(const Network& network, std::size_t step, Expected expected) {
    Agreement result;
    double product = 0.0, left = 0.0, right = 0.0;
    std::vector<double> found;
    network.read_output(step, found);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double e = expected(i), f = found[i];
        if (!(std::abs(e - f) <= result.max_abs)) result.max_abs = std::abs(e - f);
        product += e * f;
        left += e * e;
        right += f * f;
    }
    if (result.max_abs != 0.0) result.cosine = product / std::sqrt(left * right);
    return result;
}

}  // namespace lprnet::test
