// How often characters are misread, counted on labelled crops that the counted model had not seen.
#pragma once

#include <span>

namespace lprnet {

// So many of a character were on the plates.
struct Seen {
    const char* character;
    int count;
};

// So often `expected` was read as `found`. An empty `found` is a character that was missed, an
// empty `expected` one that was not there. Pairs that were seen once are left out.
struct Confusion {
    const char* expected;
    const char* found;
    int count;
};

std::span<const Seen> seen_characters() noexcept;
std::span<const Confusion> confusions() noexcept;

}  // namespace lprnet
