// A whole file read into memory: for files that somebody else may rewrite in place while they are
// read, such as a camera's pictures. A mapping would raise SIGBUS when such a file gets shorter.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lprnet/error.h"

namespace lprnet::weights {

// The bytes of the regular file at `path`, at least one and at most `max_bytes`. A file that gets
// shorter or longer meanwhile gives what was there when it was read. Never waits for a pipe.
// Errors, each naming the path: those of RegularFile::open, and
//   malformed  the file is longer than max_bytes, or was emptied meanwhile
//   not_found  reading failed
// Thread-safe. May throw std::bad_alloc.
Result<std::vector<std::byte>> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace lprnet::weights
