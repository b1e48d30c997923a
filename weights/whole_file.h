// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "lprnet/error.h"

namespace lprnet::weights {

// `invalid_argument` if no file can have this path: it is empty or holds a zero byte. `not_found`
// if it is that of a folder, or its folder is not there: worth knowing before a long computation.
Status check_output_path(const std::string& path);

// Writes the pieces, one after the other, to a new file in the folder of `path` and then gives it
// that name: whoever looks sees the old file or the whole new one. A link is followed, also one
// that leads to no file yet; a device or pipe is written to.
//
// On an error a regular file at `path` is untouched and nothing new is left behind. Where the file
// system has files without a name (Linux: most local ones), a process that is killed while it
// writes leaves nothing behind either, whatever the signal; elsewhere every signal but SIGKILL
// waits for the end, and SIGKILL leaves a file `.lprnet-*.tmp`. Of two that write at once one wins.
//
// `not_found` if it cannot be created, written (a full disk, a limit: SIGXFSZ has to be ignored to
// get so far) or renamed. Thread-safe. May throw std::bad_alloc.
Status write_whole_file(const std::string& path,
                        std::span<const std::span<const std::byte>> pieces);

}  // namespace lprnet::weights
