// One UTF-8 decoder, and what the three public functions make of it.
#include "weights/printable.h"

#include <cstdint>

namespace lprnet::weights {
namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t size = 0;  // bytes; 0 when the first byte begins no valid character
};

// Table 3-7 of the Unicode standard: the first byte fixes the length and the range of the
// second byte, which is what rules out overlong forms and surrogates.
Character decode(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::uint32_t first = byte(0);
    if (first < 0x80) return {first, 1};
    std::size_t size = 0;
    std::uint32_t low = 0x80;
    std::uint32_t high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        size = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        size = 3;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        size = 4;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    } else {
        return {};
    }
    if (text.size() < size || byte(1) < low || byte(1) > high) return {};
    std::uint32_t code = first & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const std::uint32_t next = byte(i);
        if ((next & 0xC0U) != 0x80U) return {};
        code = (code << 6) | (next & 0x3FU);
    }
    return {code, size};
}

bool breaks_a_line_of_text(std::uint32_t code) noexcept {
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||  // C0, delete, C1
           code == 0x2028 || code == 0x2029 ||               // line and paragraph separator
           code == 0x200E || code == 0x200F || code == 0x061C ||
           (code >= 0x202A && code <= 0x202E) ||  // direction marks, embeddings, overrides
           (code >= 0x2066 && code <= 0x2069);    // and isolates
}

void append_escaped(std::string& out, std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const Character character = decode(text.substr(at));
        const std::size_t size = character.size == 0 ? 1 : character.size;
        if (size > max_bytes - at) {
            out += "...";
            break;
        }
        const std::string_view bytes = text.substr(at, size);
        if (character.size == 0 || breaks_a_line_of_text(character.code)) {
            append_escaped(out, bytes);
        } else {
            out += bytes;
        }
        at += size;
    }
    return out;
}

std::string in_quotes(std::string_view text) {
    return "'" + printable(text, kMaxShownBytes) + "'";
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const Character character = decode(text.substr(at));
        if (character.size == 0) return at;
        at += character.size;
    }
    return std::string_view::npos;
}

bool has_unprintable(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const Character character = decode(text.substr(at));
        if (character.size == 0 || breaks_a_line_of_text(character.code)) return true;
        at += character.size;
    }
    return false;
}

}  // namespace lprnet::weights
