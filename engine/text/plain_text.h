// What editors and other systems put into text that people write (lists, labels, formats, tunings)
// is either skipped or named.
#pragma once

#include <string>
#include <string_view>

#include "lprnet/error.h"

namespace lprnet {

// `text` without the byte order mark that it may begin with. `malformed` for UTF-16 and for zero
// bytes, which no text has; `label` stands for the file. May throw std::bad_alloc. Thread-safe.
Result<std::string_view> check_text(std::string_view text, const std::string& label);

}  // namespace lprnet
