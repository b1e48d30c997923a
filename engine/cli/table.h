// Columns of text for people.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace lprnet::cli {

// The first row is the heading. Columns are as wide as their widest cell in
// characters; `left` says for each column whether it is aligned left.
void print_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& left);

// A number with so many digits after the point.
std::string fixed(double value, int digits);
// A number with three significant digits and an exponent where that is shorter.
std::string short_number(double value);

}  // namespace lprnet::cli
