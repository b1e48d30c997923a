// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "lprnet/error.h"

namespace lprnet::weights {

// `invalid_argument` if no file can have this path: it is empty or holds a zero byte.
Status check_output_path(const std::string& path);

// Writes the pieces, one after the other, to a new file beside `path` and renames it over
// `path`. A link is followed; a device or pipe is written to. On an error a regular file at
// `path` is untouched and nothing new is left behind. `not_found` if it cannot be created,
// written (a full disk) or renamed. Thread-safe. May throw std::bad_alloc.
Status write_whole_file(const std::string& path,
                        std::span<const std::span<const std::byte>> pieces);

}  // namespace lprnet::weights
