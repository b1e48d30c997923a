// Floats that are numbers of 16 bits.
#pragma once

#include <cmath>

namespace lprnet::test {

// The nearest number with eleven significant bits, or 0 if that is below the least normal one of 16
// bits. `value` is below 65504 in magnitude.
inline float shortened(float value) {
    if (std::abs(value) < 0x1p-14F) return 0.0F;
    int exponent = 0;
    const float fraction = std::frexp(value, &exponent);
    return std::ldexp(std::round(fraction * 2048.0F), exponent - 11);
}

}  // namespace lprnet::test
