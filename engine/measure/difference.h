// How far numbers are from those that they should be.
#pragma once

#include <cmath>

namespace lprnet::measure {

// Sums over pairs of numbers, as many as there are. Nothing was added: no difference.
struct Difference {
    double max_abs = 0.0;
    double square_error = 0.0;
    double square_expected = 0.0;
    double square_found = 0.0;
    double product = 0.0;

    void add(double expected, double found) noexcept {
        const double error = std::abs(expected - found);
        // A NaN is the largest error of all, whatever comes after it; max() would lose it.
        if (!(error <= max_abs) && !std::isnan(max_abs)) max_abs = error;
        square_error += error * error;
        square_expected += expected * expected;
        square_found += found * found;
        product += expected * found;
    }
    // The norm of the difference over that of what was expected; over 1 if that is 0.
    double rel_l2() const noexcept {
        return square_expected > 0.0 ? std::sqrt(square_error / square_expected)
                                     : std::sqrt(square_error);
    }
    // NaN if one side is all zeros and the other is not.
    double cosine() const noexcept {
        if (square_error == 0.0) return 1.0;  // also where both are all zeros
        return product / std::sqrt(square_expected * square_found);
    }
};

}  // namespace lprnet::measure
