#include "weights/file_bytes.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/text/printable.h"
#include "weights/regular_file.h"

namespace lprnet::weights {

Result<std::vector<std::byte>> read_file(const std::string& path, std::size_t max_bytes) {
    Result<RegularFile> file = RegularFile::open(path);
    if (!file) return file.error();
    const auto too_long = [&](const std::string& found) {
        return Error{ErrorCode::malformed, printable(path) + ": the file has " + found +
                                               " bytes, expected at most " +
                                               std::to_string(max_bytes)};
    };
    if (file->size() > max_bytes) return too_long(std::to_string(file->size()));

    // One byte more than it had, so that a file which has grown is seen without another call.
    std::vector<std::byte> bytes(static_cast<std::size_t>(file->size()) + 1);
    std::size_t size = 0;
    for (;;) {
        const ssize_t count = ::read(file->descriptor(), bytes.data() + size, bytes.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_error(path, "cannot be read", errno);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
        if (size > max_bytes) return too_long("more than " + std::to_string(max_bytes));
        if (size == bytes.size()) bytes.resize(std::min(2 * size, max_bytes + 1));
    }
    if (size == 0) return Error{ErrorCode::malformed, printable(path) + ": the file is empty"};
    bytes.resize(size);
    return bytes;
}

}  // namespace lprnet::weights
