// open, fstat, mmap, close: the descriptor is gone before open() returns.
#include "weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "weights/printable.h"

namespace lprnet::weights {
namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

Error system_error(const std::string& path, const char* what, int number) {
    const bool memory = number == ENOMEM;
    return {memory ? ErrorCode::out_of_memory : ErrorCode::not_found,
            printable(path) + ": " + what + ": " + std::generic_category().message(number)};
}

}  // namespace

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
        if (path.empty()) {
            return Error{ErrorCode::invalid_argument, "expected a file name, found an empty path"};
        }
        if (path.find('\0') != std::string::npos) {
            return Error{ErrorCode::invalid_argument,
                         printable(path) + ": a path cannot hold a zero byte"};
        }
        // O_NONBLOCK: opening a pipe that nobody writes to must end in the error below, not wait.
        const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (file.get() < 0) {
            const int number = errno;
            if (number == ENOENT) {
                return Error{ErrorCode::not_found, printable(path) + ": no such file"};
            }
            return system_error(path, "cannot be opened", number);
        }
        struct stat status = {};
        if (::fstat(file.get(), &status) != 0) {
            return system_error(path, "cannot be examined", errno);
        }
        if (S_ISDIR(status.st_mode)) {
            return Error{ErrorCode::not_found,
                         printable(path) + ": expected a file, found a folder"};
        }
        if (!S_ISREG(status.st_mode)) {
            return Error{ErrorCode::not_found,
                         printable(path) + ": expected a regular file, found a device or pipe"};
        }
        if (status.st_size <= 0) {
            return Error{ErrorCode::malformed, printable(path) + ": the file is empty"};
        }
        const auto size = static_cast<std::uintmax_t>(status.st_size);
        if (size > static_cast<std::uintmax_t>(PTRDIFF_MAX)) {
            return Error{ErrorCode::out_of_memory, printable(path) + ": " + std::to_string(size) +
                                                       " bytes do not fit the address space"};
        }
        const auto length = static_cast<std::size_t>(size);
        void* data = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file.get(), 0);
        if (data == MAP_FAILED) return system_error(path, "cannot be mapped", errno);
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
