#include "weights/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/text/printable.h"

namespace lprnet::weights {

Error file_error(const std::string& path, const char* what, int number) {
    return {number == ENOMEM ? ErrorCode::out_of_memory : ErrorCode::not_found,
            printable(path) + ": " + what + ": " + std::generic_category().message(number)};
}

RegularFile::~RegularFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

RegularFile::RegularFile(RegularFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

Result<RegularFile> RegularFile::open(const std::string& path) {
    if (path.empty()) {
        return Error{ErrorCode::invalid_argument, "expected a file name, found an empty path"};
    }
    if (path.find('\0') != std::string::npos) {
        return Error{ErrorCode::invalid_argument,
                     printable(path) + ": a path cannot hold a zero byte"};
    }
    // O_NONBLOCK: opening a pipe that nobody writes to must end in the error below, not wait.
    RegularFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.descriptor_ < 0) {
        if (errno == ENOENT) return Error{ErrorCode::not_found, printable(path) + ": no such file"};
        return file_error(path, "cannot be opened", errno);
    }
    struct stat status = {};
    if (::fstat(file.descriptor_, &status) != 0) {
        return file_error(path, "cannot be examined", errno);
    }
    if (S_ISDIR(status.st_mode)) {
        return Error{ErrorCode::not_found, printable(path) + ": expected a file, found a folder"};
    }
    if (!S_ISREG(status.st_mode)) {
        return Error{ErrorCode::not_found,
                     printable(path) + ": expected a regular file, found a device or pipe"};
    }
    if (status.st_size <= 0) {
        return Error{ErrorCode::malformed, printable(path) + ": the file is empty"};
    }
    file.size_ = static_cast<std::uintmax_t>(status.st_size);
    return file;
}

}  // namespace lprnet::weights
