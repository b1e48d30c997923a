// The names of a table's rows in one line, for messages and help.
#pragma once

#include <iterator>
#include <string>
#include <string_view>

namespace lprnet {

// "a, b, c" with `last_separator` in place of the last comma: listed_names(kRows, " or ") is
// "a, b or c". Each row has a member `name`.
template <class Rows>
std::string listed_names(const Rows& rows, std::string_view last_separator = ", ") {
    std::string names;
    for (auto row = std::begin(rows); row != std::end(rows); ++row) {
        if (row != std::begin(rows))
            names += std::next(row) == std::end(rows) ? last_separator : std::string_view(", ");
        names += row->name;
    }
    return names;
}

}  // namespace lprnet
