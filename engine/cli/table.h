// Columns of text for people.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "engine/text/number_text.h"

namespace lprnet::cli {

// The first row is the heading. Columns are as wide as their widest cell in
// characters; `left` says for each column whether it is aligned left.
void print_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& left);

}  // namespace lprnet::cli
