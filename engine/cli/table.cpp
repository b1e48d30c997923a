#include "engine/cli/table.h"

#include <algorithm>

#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

// Chinese characters take two columns of a terminal, ASCII one.
std::size_t columns(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            ++count;
        } else if (byte >= 0xE0) {
            count += 2;
        } else if (byte >= 0xC0) {
            ++count;
        }
    }
    return count;
}

}  // namespace

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

}  // namespace lprnet::cli
