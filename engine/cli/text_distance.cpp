#include "engine/cli/text_distance.h"

#include <algorithm>

namespace lprnet::cli {

Alignment align(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
    const std::size_t rows = expected.size() + 1;
    const std::size_t columns = found.size() + 1;
    std::vector<std::size_t> cost(rows * columns);
    const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
        return cost[i * columns + j];
    };
    for (std::size_t i = 0; i < rows; ++i) at(i, 0) = i;
    for (std::size_t j = 0; j < columns; ++j) at(0, j) = j;
    for (std::size_t i = 1; i < rows; ++i) {
        for (std::size_t j = 1; j < columns; ++j) {
            const std::size_t replaced =
                at(i - 1, j - 1) + (expected[i - 1] == found[j - 1] ? 0 : 1);
            at(i, j) = std::min({replaced, at(i - 1, j) + 1, at(i, j - 1) + 1});
        }
    }
    Alignment alignment;
    alignment.distance = cost.back();
    for (std::size_t i = rows - 1, j = columns - 1; i > 0 || j > 0;) {
        const bool equal = i > 0 && j > 0 && expected[i - 1] == found[j - 1];
        if (i > 0 && j > 0 && at(i, j) == at(i - 1, j - 1) + (equal ? 0 : 1)) {
            if (!equal) alignment.differences.emplace_back(expected[i - 1], found[j - 1]);
            --i;
            --j;
        } else if (i > 0 && at(i, j) == at(i - 1, j) + 1) {
            alignment.differences.emplace_back(expected[--i], "");
        } else {
            alignment.differences.emplace_back("", found[--j]);
        }
    }
    return alignment;
}

}  // namespace lprnet::cli
