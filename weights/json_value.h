// A small JSON value from a file: a tree. The JSON library's own tree
// allocates in its destructor, which ends the process where memory has run out; of that library
// the parser alone is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lprnet/error.h"

namespace lprnet::weights {

struct JsonValue {
    enum class Kind { null, boolean, number, text, array, object };
    Kind kind = Kind::null;
    bool is_whole = false;              // a number that is `whole`
    std::uint64_t whole = 0;            // from 0
    double number = 0.0;                // of any number, and 0 or 1 of a boolean
    std::string text = {};              // UTF-8
    std::vector<JsonValue> items = {};  // of an array
    std::vector<std::pair<std::string, JsonValue>> fields = {};  // of an object, in their order

    bool is(Kind other) const noexcept { return kind == other; }
    bool is_text(std::string_view other) const noexcept {
        return kind == Kind::text && text == other;
    }
    // The field of an object, or null.
    const JsonValue* find(std::string_view name) const noexcept;
    // As JSON without spaces; the front of it where it is long. For messages. May throw
    // std::bad_alloc.
    std::string shown() const;
};

// Of text within limits, see bounded_json.h. Errors are malformed, the message without a subject
// ("is not valid JSON"): also for a number that is not finite and for a key twice in one object or
// more than 256 of them. May throw std::bad_alloc.
Result<JsonValue> read_json(std::string_view text);

}  // namespace lprnet::weights
