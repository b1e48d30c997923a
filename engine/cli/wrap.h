// Text for a terminal: how wide it is, and lines that are not too long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lprnet::cli {

// No line of the program's output for people is wider.
inline constexpr std::size_t kTerminalColumns = 100;

// Columns that UTF-8 text takes: Chinese characters take two, ASCII one.
std::size_t columns(std::string_view text) noexcept;

// `text` with a newline and `indent` spaces instead of the blank at each place where a line would
// exceed `width` columns, indentation not counted; also inside of a word that is wider itself.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent = 0);

}  // namespace lprnet::cli
