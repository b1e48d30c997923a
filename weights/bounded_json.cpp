#include "weights/bounded_json.h"

#include <utility>

#include "engine/text/printable.h"
#include "engine/text/utf8.h"

namespace lprnet::weights {

namespace {

// Every value but the first of an array or object follows a comma or a colon, and that one an
// opening bracket.
std::optional<std::string> exceeded_structure(std::string_view text, const JsonLimits& limits,
                                              std::size_t offset) {
    std::size_t depth = 0, values = 1;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') quoted = !quoted;
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            continue;
        }
        const bool opens = c == '[' || c == '{';
        if ((c == ']' || c == '}') && depth > 0) --depth;
        if (opens && ++depth > limits.depth) {
            return "is nested more than " + std::to_string(limits.depth) + " deep at offset " +
                   std::to_string(offset + i);
        }
        if ((opens || c == ',' || c == ':') && ++values > limits.values) {
            return "has more than " + std::to_string(limits.values) + " values at offset " +
                   std::to_string(offset + i);
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> exceeded_limit(std::string_view text, const JsonLimits& limits,
                                          std::size_t offset) {
    if (text.size() > limits.bytes) {
        return "has " + std::to_string(text.size()) + " bytes, expected at most " +
               std::to_string(limits.bytes);
    }
    const std::size_t zero = text.find('\0');
    if (zero != std::string_view::npos) {
        return "holds a zero byte at offset " + std::to_string(offset + zero);
    }
    const std::size_t bad_utf8 = find_invalid_utf8(text);
    if (bad_utf8 != std::string_view::npos) {
        return "is not valid UTF-8 at offset " + std::to_string(offset + bad_utf8);
    }
    return exceeded_structure(text, limits, offset);
}

Result<JsonValue> parse_json(std::string_view text, const JsonLimits& limits) {
    if (auto fault = exceeded_limit(text, limits)) {
        return Error{ErrorCode::malformed, *std::move(fault)};
    }
    return read_json(text);
}

}  // namespace lprnet::weights
