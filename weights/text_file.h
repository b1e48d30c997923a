// Small files of text that people write: lists, labels, formats, tunings.
#pragma once

#include <cstddef>
#include <string>

#include "lprnet/error.h"

namespace lprnet::weights {

// The text of the regular file at `path`, without a byte order mark. Never waits for a pipe.
// Errors as those of read_file, `not_found` and `malformed`, and those of check_text. May throw
// std::bad_alloc.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

}  // namespace lprnet::weights
