#include "engine/measure/text_distance.h"

#include <algorithm>

namespace lprnet::measure {
namespace {

using Characters = std::vector<std::string>;

// The fewest edits between the first i characters of `expected` and the first j of `found`.
class Costs {
public:
    Costs(const Characters& expected, const Characters& found)
        : columns_(found.size() + 1), costs_((expected.size() + 1) * columns_) {
        for (std::size_t i = 0; i <= expected.size(); ++i) at(i, 0) = i;
        for (std::size_t j = 0; j <= found.size(); ++j) at(0, j) = j;
        for (std::size_t i = 1; i <= expected.size(); ++i) {
            for (std::size_t j = 1; j <= found.size(); ++j) {
                const std::size_t replaced =
                    at(i - 1, j - 1) + (expected[i - 1] == found[j - 1] ? 0 : 1);
                at(i, j) = std::min({replaced, at(i - 1, j) + 1, at(i, j - 1) + 1});
            }
        }
    }
    std::size_t& at(std::size_t i, std::size_t j) { return costs_[i * columns_ + j]; }
    std::size_t all() const { return costs_.back(); }

private:
    std::size_t columns_;
    std::vector<std::size_t> costs_;
};

}  // namespace

Alignment align(const Characters& expected, const Characters& found) {
    Costs costs(expected, found);
    Alignment alignment;
    alignment.distance = costs.all();
    std::size_t i = expected.size(), j = found.size();
    while (i > 0 && j > 0) {
        const bool equal = expected[i - 1] == found[j - 1];
        if (costs.at(i, j) == costs.at(i - 1, j - 1) + (equal ? 0 : 1)) {
            if (!equal) alignment.differences.emplace_back(expected[i - 1], found[j - 1]);
            --i;
            --j;
        } else if (costs.at(i, j) == costs.at(i - 1, j) + 1) {
            alignment.differences.emplace_back(expected[--i], "");
        } else {
            alignment.differences.emplace_back("", found[--j]);
        }
    }
    while (i > 0) alignment.differences.emplace_back(expected[--i], "");
    while (j > 0) alignment.differences.emplace_back("", found[--j]);
    return alignment;
}

}  // namespace lprnet::measure
