// Opening a file for reading, when it is one: the checks that mapping and reading share.
#pragma once

#include <cstdint>
#include <string>

#include "lprnet/error.h"

namespace lprnet::weights {

// Owns an open descriptor of a regular file.
class RegularFile {
public:
    ~RegularFile();
    RegularFile(RegularFile&& other) noexcept;
    RegularFile& operator=(RegularFile&&) = delete;
    RegularFile(const RegularFile&) = delete;
    RegularFile& operator=(const RegularFile&) = delete;

    // Opens the regular file at `path` for reading, following links; never waits, also not for a
    // pipe. Errors, each naming the path:
    //   invalid_argument  the path is empty or holds a zero byte
    //   not_found         missing, a folder, not a regular file, or not readable
    //   malformed         the file is empty
    // May throw std::bad_alloc.
    static Result<RegularFile> open(const std::string& path);

    int descriptor() const noexcept { return descriptor_; }
    // Bytes when it was opened; at least one.
    std::uintmax_t size() const noexcept { return size_; }

private:
    explicit RegularFile(int descriptor) noexcept : descriptor_(descriptor) {}

    int descriptor_;
    std::uintmax_t size_ = 0;
};

// The error for `path` whose system call left `number` in errno; `what` says which, such as
// "cannot be opened". May throw std::bad_alloc.
Error file_error(const std::string& path, const char* what, int number);

}  // namespace lprnet::weights
