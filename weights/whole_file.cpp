#include "weights/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

#include "weights/printable.h"

namespace lprnet::weights {
namespace {

// A file being written. Unless commit() succeeded, the destructor removes it again, if it is one
// that this object created.
class Output {
public:
    Output(int fd, std::string created) noexcept : fd_(fd), created_(std::move(created)) {}
    ~Output() {
        if (fd_ >= 0) ::close(fd_);
        if (!created_.empty()) ::unlink(created_.c_str());
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    int fd() const noexcept { return fd_; }

    // Zero or errno, as the next two.
    int write(const void* data, std::size_t size) noexcept {
        // Linux writes at most 2 GiB at a time, macOS rejects more.
        constexpr std::size_t kLargestWrite = 1U << 30;
        const auto* at = static_cast<const char*>(data);
        while (size > 0) {
            const ssize_t written = ::write(fd_, at, std::min(size, kLargestWrite));
            if (written < 0) {
                if (errno == EINTR) continue;
                return errno;
            }
            if (written == 0) return EIO;
            at += written;
            size -= static_cast<std::size_t>(written);
        }
        return 0;
    }

    // Closing is where a network file system or a quota reports a failed write.
    int close() noexcept { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

    int rename_to(const std::string& target) noexcept {
        if (::rename(created_.c_str(), target.c_str()) != 0) return errno;
        created_.clear();
        return 0;
    }

private:
    int fd_;
    std::string created_;
};

int write_pieces(Output& output, std::span<const std::span<const std::byte>> pieces) noexcept {
    int number = 0;
    for (const std::span<const std::byte> piece : pieces) {
        if (number == 0) number = output.write(piece.data(), piece.size());
    }
    return number;
}

// Opens a file that did not exist, in the folder of `target`. `name` becomes its path. The
// descriptor, or -1 with errno set. Its mode is the umask's business, as for any new file.
int create_beside(const std::string& target, std::string& name) {
    static std::atomic<unsigned> next{0};
    const std::size_t slash = target.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : target.substr(0, slash + 1);
    constexpr int kAttempts = 100;  // names taken by the remains of crashed runs with this pid
    for (int i = 0; i < kAttempts; ++i) {
        name = folder + ".lprnet-" + std::to_string(::getpid()) + "-" + std::to_string(next++) +
               ".tmp";
        const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

}  // namespace

Status check_output_path(const std::string& path) {
    if (path.empty()) {
        return Error{ErrorCode::invalid_argument, "expected a file name, found an empty path"};
    }
    if (path.find('\0') != std::string::npos) {
        return Error{ErrorCode::invalid_argument,
                     printable(path) + ": a path cannot hold a zero byte"};
    }
    return {};
}

Status write_whole_file(const std::string& path,
                        std::span<const std::span<const std::byte>> pieces) {
    if (Status status = check_output_path(path); !status) return status;
    const auto failed = [&](const char* what, int number) {
        return Error{
            number == ENOMEM ? ErrorCode::out_of_memory : ErrorCode::not_found,
            printable(path) + ": " + what + ": " + std::generic_category().message(number)};
    };
    // The file behind a link is replaced, not the link; a path that does not exist stays as it is.
    std::string target = path;
    const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr),
                                                          &std::free);
    if (resolved) target = resolved.get();

    struct stat status = {};
    const bool exists = ::stat(target.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) {
        return Error{ErrorCode::not_found,
                     printable(path) + ": expected a file to write, found a folder"};
    }
    if (exists && !S_ISREG(status.st_mode)) {
        // Renaming over a device or pipe would put a file in its place.
        Output output(::open(target.c_str(), O_WRONLY | O_CLOEXEC), "");
        if (output.fd() < 0) return failed("cannot be opened for writing", errno);
        int number = write_pieces(output, pieces);
        if (number == 0) number = output.close();
        if (number != 0) return failed("cannot be written", number);
        return {};
    }
    if (exists && ::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) {
        return failed("cannot be replaced", errno);
    }

    std::string temporary;
    const int fd = create_beside(target, temporary);
    if (fd < 0) return failed("cannot be created", errno);
    Output output(fd, std::move(temporary));
    int number = write_pieces(output, pieces);
    // A replaced file keeps its permissions; where the file system has none, that is no error.
    if (number == 0 && exists) {
        static_cast<void>(!::fchmod(output.fd(), status.st_mode & 0777U));
    }
    if (number == 0) number = output.close();
    if (number != 0) return failed("cannot be written", number);
    number = output.rename_to(target);
    if (number != 0) return failed("cannot be renamed into place", number);
    return {};
}

}  // namespace lprnet::weights
