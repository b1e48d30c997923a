// A whole file as read-only memory: open, look at bytes(), let go. POSIX mmap; nothing is
// read before it is touched and nothing is copied. What the bytes mean is for others.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "lprnet/error.h"

namespace lprnet::weights {

// Owns one mapping. Immutable once open, so any number of threads may read bytes().
// The file must not be made shorter while it is mapped: touching a page that is gone raises
// SIGBUS, which no reader can turn into an error. Replacing it by rename is safe.
class MappedFile {
public:
    // Nothing mapped; bytes() is empty.
    MappedFile() noexcept = default;
    ~MappedFile();

    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    // Maps the regular file at `path`, following links. Errors, each naming the path:
    //   invalid_argument  the path is empty or holds a zero byte
    //   not_found         missing, a folder, not a regular file, or not readable
    //   malformed         the file is empty
    //   out_of_memory     no address space or memory
    static Result<MappedFile> open(const std::string& path) noexcept;

    // The file's bytes, page-aligned; at least one when open. Valid until this object ends, is
    // assigned to or is moved from; after a move the same address belongs to the new owner.
    std::span<const std::byte> bytes() const noexcept LPRNET_LIFETIMEBOUND {
        return {data_, size_};
    }

private:
    void unmap() noexcept;

    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace lprnet::weights
