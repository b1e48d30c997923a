// A file in memory with a path, for parsers that open what they read.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "tests/fuzz/target.h"

namespace lprnet::fuzz {

class MemoryFile {
public:
    MemoryFile() : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
        check(descriptor_ >= 0, "no file in memory");
        path_ = "/proc/self/fd/" + std::to_string(descriptor_);
    }
    ~MemoryFile() { close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    const std::string& path() const { return path_; }
    int descriptor() const { return descriptor_; }

    void replace(const void* data, std::size_t size) {
        check(ftruncate(descriptor_, 0) == 0, "a file in memory cannot be emptied");
        check(pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size),
              "a file in memory cannot be written");
    }

private:
    int descriptor_;
    std::string path_;
};

}  // namespace lprnet::fuzz
