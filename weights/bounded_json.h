// JSON from a file, with limits that hold before it is parsed: the parser's own work is linear, but
// a value takes many times its text's memory, and a tree as deep as the file likes is taken down by
// recursion, which ends in a segmentation fault.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lprnet/error.h"
#include "weights/json_value.h"

namespace lprnet::weights {

struct JsonLimits {
    std::size_t bytes;
    std::size_t depth;   // of arrays and objects in each other; 1 is "[1]"
    std::size_t values;  // keys included
};

// Metadata of a model file. The longest is a charset: 4,096 entries of a few bytes.
inline constexpr JsonLimits kMetadataLimits = {.bytes = 1U << 20, .depth = 8, .values = 1U << 14};

// Which limit `text` exceeds ("is nested more than 8 deep at offset 8"), or that it holds a zero
// byte, which the parser takes for the end, or is not valid UTF-8; nothing if all is well. Looks at
// quotes, brackets and commas alone, so it says little of whether `text` is JSON. Bytes of `text`
// are counted from `offset`. May throw std::bad_alloc.
std::optional<std::string> exceeded_limit(std::string_view text, const JsonLimits& limits,
                                          std::size_t offset = 0);

// The value, all of its numbers finite and no key of an object twice. Errors are malformed, the
// message without a subject ("is not valid JSON"). May throw std::bad_alloc.
Result<JsonValue> parse_json(std::string_view text, const JsonLimits& limits);

}  // namespace lprnet::weights
