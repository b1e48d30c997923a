// Small files of text that people write: lists, labels, formats, tunings. What editors and other
// systems put into such files is either skipped or named.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lprnet/error.h"

namespace lprnet::weights {

// What a file of UTF-8 may begin with, and what it never holds.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// `text` without the byte order mark that it may begin with. `malformed` for UTF-16 and for zero
// bytes, which no text has; `label` stands for the file. May throw std::bad_alloc.
Result<std::string_view> check_text(std::string_view text, const std::string& label);

// The text of the regular file at `path`, without a byte order mark. Never waits for a pipe.
// Errors as those of read_file, `not_found` and `malformed`, and those of check_text. May throw
// std::bad_alloc.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

}  // namespace lprnet::weights
