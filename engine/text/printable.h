// Text from outside (file names, tensor names, metadata) made fit for a one-line
// message. Nothing here judges what a name may be; the readers do.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lprnet {

// Longest piece of a file's own text that a message repeats, in bytes: enough for every
// PyTorch key seen, short enough that a hostile name cannot fill a terminal.
inline constexpr std::size_t kMaxShownBytes = 96;

// `text` with control characters, line and paragraph separators, marks that reverse the
// direction of writing and bytes that are not UTF-8 written as \xNN, one per byte; other
// UTF-8 stays as it is. At most `max_bytes` of `text` are shown, whole characters only,
// then "...". The result has no newline. May throw std::bad_alloc. Thread-safe.
std::string printable(std::string_view text, std::size_t max_bytes = std::string_view::npos);

// 'text' between single quotes, printable and at most kMaxShownBytes long. May throw
// std::bad_alloc. Thread-safe.
std::string in_quotes(std::string_view text);

// True when printable(text) would write at least one byte of `text` as \xNN. Thread-safe.
bool has_unprintable(std::string_view text) noexcept;

}  // namespace lprnet
