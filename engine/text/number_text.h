// Numbers for people. May throw std::bad_alloc. Thread-safe.
#pragma once

#include <string>

namespace lprnet {

// With so many digits after the point.
std::string fixed(double value, int digits);
// With three significant digits, and an exponent where that is shorter.
std::string short_number(double value);
// The fewest significant digits that are read as the same number.
std::string shortest_number(double value);

}  // namespace lprnet
