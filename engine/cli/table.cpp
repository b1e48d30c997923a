#include "engine/cli/table.h"

#include <algorithm>

#include "engine/cli/wrap.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
void print_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& left) {
    std::vector<std::size_t> widths(left.size(), 0);
    std::vector<std::vector<std::string>> shown = rows;
    for (auto& row : shown) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = printable(row[i]);
            widths[i] = std::max(widths[i], columns(row[i]));
        }
    }
    for (const auto& row : shown) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - columns(row[i]), ' ');
            if (i > 0) line += "  ";
            line += left[i] ? row[i] + padding : padding + row[i];
        }
        while (!line.empty() && line.back() == ' ') line.pop_back();
        std::puts(line.c_str());
    }
}

void print_field(const char* name, const std::string& value, std::size_t name_columns) {
    const std::size_t indent = name_columns + 1;
    std::printf("%-*s %s\n", static_cast<int>(name_columns), name,
                wrapped(printable(value), kTerminalColumns - indent, indent).c_str());
}

}  // namespace lprnet::cli
