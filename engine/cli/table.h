// Columns of text for people.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "engine/text/number_text.h"

namespace lprnet::cli {

// The first row is the heading. Columns are as wide as their widest cell in
// characters; `left` says for each column whether it is aligned left.
void print_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& left);

// A name in a column of its own, and its value behind it, on as many lines as it takes.
void print_field(const char* name, const std::string& value, std::size_t name_columns = 12);

}  // namespace lprnet::cli
