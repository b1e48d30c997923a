// How two texts differ, character by character.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace lprnet::measure {

struct Alignment {
    // Levenshtein distance: the fewest replacements, insertions and deletions.
    std::size_t distance = 0;
    // The edits of one shortest way, (expected, found); the empty string stands for
    // the missing side.
    std::vector<std::pair<std::string, std::string>> differences;
};

Alignment align(const std::vector<std::string>& expected, const std::vector<std::string>& found);

}  // namespace lprnet::measure
