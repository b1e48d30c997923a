// Characters of UTF-8. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lprnet {

// What a text may begin with that was saved by an editor of other systems.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct CodePoint {
    char32_t code = 0;
    std::size_t size = 0;  // bytes; 0 when the first byte begins no valid character
};

// The character that `text` begins with, as RFC 3629 allows it: no overlong forms, no surrogates,
// nothing above U+10FFFF. Precondition: `text` is not empty.
CodePoint decode_code_point(std::string_view text) noexcept;

// Offset of the first byte that is not part of valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text) noexcept;

// Bytes of the first character of any text, valid or not: continuation bytes stay with the byte
// before them. 0 for none.
std::size_t first_character_size(std::string_view text) noexcept;

// `text` cut by first_character_size(). May throw std::bad_alloc.
std::vector<std::string> split_characters(std::string_view text);

// Of valid UTF-8, and back. May throw std::bad_alloc.
std::u32string to_utf32(std::string_view text);
std::string to_utf8(char32_t code);

}  // namespace lprnet
