// Open, map, close: the descriptor is gone before open() returns.
#include "weights/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "engine/text/printable.h"
#include "weights/regular_file.h"

namespace lprnet::weights {

MappedFile::~MappedFile() {
    unmap();
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    if (this != &other) {
        unmap();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

void MappedFile::unmap() noexcept {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
    data_ = nullptr;
    size_ = 0;
}

Result<MappedFile> MappedFile::open(const std::string& path) noexcept {
    try {
        const Result<RegularFile> file = RegularFile::open(path);
        if (!file) return file.error();
        const std::uintmax_t size = file.value().size();
        if (size > static_cast<std::uintmax_t>(PTRDIFF_MAX)) {
            return Error{ErrorCode::out_of_memory, printable(path) + ": " + std::to_string(size) +
                                                       " bytes do not fit the address space"};
        }
        const auto length = static_cast<std::size_t>(size);
        void* data = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file.value().descriptor(), 0);
        if (data == MAP_FAILED) return file_error(path, "cannot be mapped", errno);
        MappedFile mapped;
        mapped.data_ = static_cast<const std::byte*>(data);
        mapped.size_ = length;
        return mapped;
    } catch (...) {
        // Only a message can have failed to allocate. This one fits a string's own storage.
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

}  // namespace lprnet::weights
