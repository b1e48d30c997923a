// A library to preload: file systems that the machine of the tests does not have. By environment:
//
//   SLOW_DISK_NAMELESS=no   no files without a name, as on a network file system
//   SLOW_DISK_MARK=FILE     brings a file to the disk, makes FILE and stays there for a while, so
//                           that a test can do something meanwhile
//   SLOW_DISK_FULL=BYTES    no room for more than that
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

template <class Function>
Function next(const char* name) {
    void* symbol = ::dlsym(RTLD_NEXT, name);
    Function function;
    std::memcpy(&function, &symbol, sizeof function);
    return function;
}

bool is_regular(int file) {
    struct stat status = {};
    return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

int open_as(const char* name, const char* path, int flags, mode_t mode) {
    const char* nameless = std::getenv("SLOW_DISK_NAMELESS");
    if (nameless != nullptr && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return next<int (*)(const char*, int, ...)>(name)(path, flags, mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const auto mode = static_cast<mode_t>(va_arg(arguments, unsigned));
    va_end(arguments);
    return open_as("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const auto mode = static_cast<mode_t>(va_arg(arguments, unsigned));
    va_end(arguments);
    return open_as("open64", path, flags, mode);
}

ssize_t write(int file, const void* data, size_t size) {
    static size_t written = 0;
    const char* full = std::getenv("SLOW_DISK_FULL");
    if (full != nullptr && is_regular(file)) {
        const size_t room = std::strtoul(full, nullptr, 10) - written;
        if (room == 0) {
            errno = ENOSPC;
            return -1;
        }
        size = size < room ? size : room;
        written += size;
    }
    return next<ssize_t (*)(int, const void*, size_t)>("write")(file, data, size);
}

int fsync(int file) {
    if (const char* mark = std::getenv("SLOW_DISK_MARK")) {
        close(open_as("open", mark, O_WRONLY | O_CREAT, 0666));
        const timespec while_waiting = {0, 300000000};
        nanosleep(&while_waiting, nullptr);
    }
    return next<int (*)(int)>("fsync")(file);
}

}  // extern "C"
