#include "engine/text/utf8.h"

#include <cstdint>

namespace lprnet {
namespace {

constexpr bool continues(std::uint32_t byte) noexcept {
    return (byte & 0xC0U) == 0x80U;
}

struct Form {
    std::size_t size = 0;  // bytes; 0: no character begins so
    // Of the second byte.
    std::uint32_t low = 0x80;
    std::uint32_t high = 0xBF;
};

// Table 3-7 of the Unicode standard: the first byte fixes the length and the range of the
// second byte, which is what rules out overlong forms and surrogates.
constexpr Form form_of(std::uint32_t first) noexcept {
    if (first < 0xC2) return {};
    if (first < 0xE0) return {.size = 2};
    if (first == 0xE0) return {.size = 3, .low = 0xA0};
    if (first == 0xED) return {.size = 3, .high = 0x9F};
    if (first < 0xF0) return {.size = 3};
    if (first == 0xF0) return {.size = 4, .low = 0x90};
    if (first < 0xF4) return {.size = 4};
    if (first == 0xF4) return {.size = 4, .high = 0x8F};
    return {};
}

}  // namespace

CodePoint decode_code_point(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return static_cast<unsigned char>(text[i]);
    };
    const std::uint32_t first = byte(0);
    if (first < 0x80) return {first, 1};
    const auto [size, low, high] = form_of(first);
    if (size == 0 || text.size() < size || byte(1) < low || byte(1) > high) return {};
    std::uint32_t code = first & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if (!continues(byte(i))) return {};
        code = (code << 6) | (byte(i) & 0x3FU);
    }
    return {code, size};
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const CodePoint character = decode_code_point(text.substr(at));
        if (character.size == 0) return at;
        at += character.size;
    }
    return std::string_view::npos;
}

std::size_t first_character_size(std::string_view text) noexcept {
    if (text.empty()) return 0;
    std::size_t size = 1;
    while (size < text.size() && continues(static_cast<unsigned char>(text[size]))) ++size;
    return size;
}

std::vector<std::string> split_characters(std::string_view text) {
    std::vector<std::string> characters;
    while (!text.empty()) {
        characters.emplace_back(text.substr(0, first_character_size(text)));
        text.remove_prefix(characters.back().size());
    }
    return characters;
}

std::u32string to_utf32(std::string_view text) {
    std::u32string out;
    while (!text.empty()) {
        const CodePoint character = decode_code_point(text);
        if (character.size == 0) break;
        out += character.code;
        text.remove_prefix(character.size);
    }
    return out;
}

std::string to_utf8(char32_t code) {
    const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
    if (code < 0x10000) {
        return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)),
                byte(0x80 | (code & 0x3F))};
    }
    return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)),
            byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
}

}  // namespace lprnet
