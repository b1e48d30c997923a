// A parsed set of plate formats: the tree that patterns.h describes in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/patterns.h"

namespace lprnet {

// With names and repeats written out, longest pattern in characters. The built-in set needs 35; a
// state of an automaton lists some of the characters, so that this bounds the memory that a pattern
// can ask for.
inline constexpr std::size_t kMaxPatternCharacters = 1024;
// One bit each in a word of the automaton.
inline constexpr std::size_t kMaxPatternFormats = 64;
// Parentheses and names inside each other; bounds the recursion.
inline constexpr std::size_t kMaxPatternDepth = 64;

struct PatternNode {
    enum class Kind {
        any,         // every character but the blank
        characters,  // one of `characters`
        sequence,    // `parts`, one after the other; none is the empty text
        choice,      // one of `parts`
        repeat,      // parts[0], `least` to `most` times
    };
    Kind kind = Kind::sequence;
    std::u32string characters;         // sorted, each once
    std::vector<std::uint32_t> parts;  // indices in PatternFile::nodes, each below this one's
    std::uint32_t least = 1;
    std::uint32_t most = 1;
    // With names and repeats written out; at most the limits above.
    std::size_t size = 0;
    std::size_t depth = 1;
};

struct PatternFile {
    std::vector<PatternNode> nodes;
    std::vector<Patterns::Format> formats;
    std::vector<std::uint32_t> roots;  // of each format
};

Result<PatternFile> parse_patterns(std::string_view text, const std::string& label);

}  // namespace lprnet
