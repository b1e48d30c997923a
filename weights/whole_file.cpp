#include "weights/whole_file.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/text/printable.h"

namespace lprnet::weights {
namespace {

// The descriptors of this process as paths, by which a file without a name can be given one.
constexpr const char* kDescriptors = "/proc/self/fd/";
constexpr const char* kNotRenamed = "cannot be renamed into place";

// Signals wait while one of these lives, in this thread: a handler or the default action would
// leave a temporary file behind. Of the signals that a process can hold off, all are: any of them
// may end it.
class SignalsLater {
public:
    SignalsLater() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsLater() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsLater(const SignalsLater&) = delete;
    SignalsLater& operator=(const SignalsLater&) = delete;

private:
    sigset_t before_;
};

// A file being written. `created` is its name if this object gave it one; unless the file got
// another, the destructor removes it.
class Output {
public:
    explicit Output(int fd, std::string created = "") noexcept
        : fd_(fd), created_(std::move(created)) {}
    ~Output() {
        if (fd_ >= 0) ::close(fd_);
        if (!created_.empty()) ::unlink(created_.c_str());
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    int fd() const noexcept { return fd_; }

    // Zero or errno, as all of these.
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

    // Brings it to the disk: the name must not become that of a file without contents when the
    // power fails. Some file systems cannot, and need not.
    int sync() noexcept {
        if (::fsync(fd_) == 0 || errno == EINVAL || errno == ENOSYS || errno == EROFS) return 0;
        return errno;
    }

    // Closing is where a network file system or a quota reports a failed write.
    int close() noexcept { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

#ifdef O_TMPFILE
    // Gives a file without a name the name `path`, which nothing may have.
    int link_to(const std::string& path) const noexcept {
        const std::string self = kDescriptors + std::to_string(fd_);
        const int done =
            ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW);
        return done == 0 ? 0 : errno;
    }
    void take_name(std::string name) noexcept {
        created_ = std::move(name);
    }
#endif

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

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// Calls `create` with names in the folder of `target` until it says something else than EEXIST;
// `name` becomes the last one. The names of several processes and threads differ; those that are
// taken are the remains of killed ones.
template <class Create>
int with_new_name(const std::string& target, std::string& name, Create create) {
    static std::atomic<unsigned> next{0};
    constexpr int kAttempts = 100;
    int number = EEXIST;
    for (int i = 0; i < kAttempts && number == EEXIST; ++i) {
        name = folder_of(target) + ".lprnet-" + std::to_string(::getpid()) + "-" +
               std::to_string(next++) + ".tmp";
        number = create(name);
    }
    return number;
}

// What a step of writing came to: `number` is errno, `what` failed.
struct Outcome {
    int number = 0;
    const char* what = "cannot be written";
};

// A replaced file keeps its permissions; where the file system has none, that is no error. The
// mode of a new one is the umask's business.
void copy_mode(const Output& output, const struct stat* replaced) noexcept {
    if (replaced != nullptr) static_cast<void>(!::fchmod(output.fd(), replaced->st_mode & 0777U));
}

// By a file that has its temporary name while it is written.
Outcome write_named(const std::string& target, const struct stat* replaced,
                    std::span<const std::span<const std::byte>> pieces) {
    const SignalsLater later;
    std::string temporary;
    int fd = -1;
    int number = with_new_name(target, temporary, [&](const std::string& name) {
        fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        return fd >= 0 ? 0 : errno;
    });
    if (number != 0) return {number, "cannot be created"};
    Output output(fd, std::move(temporary));
    number = write_pieces(output, pieces);
    if (number == 0) copy_mode(output, replaced);
    if (number == 0) number = output.sync();
    if (number == 0) number = output.close();
    if (number != 0) return {number};
    return {output.rename_to(target), kNotRenamed};
}

#ifdef O_TMPFILE
// By a file that has no name until it is whole. Nothing if the file system has no such files.
std::optional<Outcome> write_nameless(const std::string& target, const struct stat* replaced,
                                      std::span<const std::span<const std::byte>> pieces) {
    if (::access(kDescriptors, X_OK) != 0) return std::nullopt;  // /proc gives it its name
    const std::string folder = folder_of(target);
    Output output(
        ::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
    if (output.fd() < 0)
        return std::nullopt;  // also where the folder is missing: the other says so
    int number = write_pieces(output, pieces);
    if (number == 0) copy_mode(output, replaced);
    if (number == 0) number = output.sync();
    if (number != 0) return Outcome{number};

    if (replaced == nullptr) {
        number = output.link_to(target);
        if (number == 0) return Outcome{};
        if (number != EEXIST) return std::nullopt;  // else another one was faster
    }
    const SignalsLater later;
    std::string temporary;
    number = with_new_name(target, temporary,
                           [&](const std::string& name) { return output.link_to(name); });
    if (number != 0) return std::nullopt;
    output.take_name(std::move(temporary));
    return Outcome{output.rename_to(target), kNotRenamed};
}
#endif

// The file that `path` leads to over links, or would if it were there; errno in `number`.
std::string behind_links(const std::string& path, int& number) {
    constexpr int kMostLinks = 40;  // as Linux
    std::string target = path;
    for (int i = 0; i <= kMostLinks; ++i) {
        const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(target.c_str(), nullptr),
                                                              &std::free);
        if (resolved) return resolved.get();
        std::string link(PATH_MAX, '\0');
        const ssize_t size = ::readlink(target.c_str(), link.data(), link.size());
        if (size < 0) return target;  // no link: what is wrong, if anything, shows later
        link.resize(static_cast<std::size_t>(size));
        target = link.starts_with('/') ? link : folder_of(target) + link;
    }
    number = ELOOP;
    return target;
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
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0) {
        if (!S_ISDIR(status.st_mode)) return {};
        return Error{ErrorCode::not_found,
                     printable(path) + ": expected a file to write, found a folder"};
    }
    // Of a link that leads nowhere the folder is looked at when it is followed.
    if (::lstat(path.c_str(), &status) == 0) return {};
    const std::string folder = folder_of(path);
    if (!folder.empty() && ::stat(folder.c_str(), &status) != 0) {
        return Error{ErrorCode::not_found, printable(path) + ": cannot be created: " +
                                               std::generic_category().message(errno)};
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
    int number = 0;
    const std::string target = behind_links(path, number);
    if (number != 0) return failed("cannot be created", number);

    struct stat status = {};
    const bool exists = ::stat(target.c_str(), &status) == 0;
    if (exists && !S_ISREG(status.st_mode)) {
        // Renaming over a device or pipe would put a file in its place.
        Output output(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
        if (output.fd() < 0) return failed("cannot be opened for writing", errno);
        number = write_pieces(output, pieces);
        if (number == 0) number = output.close();
        if (number != 0) return failed("cannot be written", number);
        return {};
    }
    if (exists && ::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) {
        return failed("cannot be replaced", errno);
    }

    const struct stat* replaced = exists ? &status : nullptr;
    std::optional<Outcome> outcome;
#ifdef O_TMPFILE
    outcome = write_nameless(target, replaced, pieces);
#endif
    if (!outcome) outcome = write_named(target, replaced, pieces);
    if (outcome->number != 0) return failed(outcome->what, outcome->number);
    return {};
}

}  // namespace lprnet::weights
