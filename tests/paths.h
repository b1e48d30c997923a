// Where the tests find and leave files.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lprnet::test {

// A file of the tests/ folder.
inline std::string tests_path(const std::string& relative) {
    // Not by operator+, in which GCC 12 sees overflows that are not there (GCC bug 105651).
    std::string path = LPRNET_TESTS_DIR "/";
    return path.append(relative);
}

// A folder of its own for one test, removed with what is in it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "lprnet-XXXXXX").string();
        path_ = mkdtemp(pattern.data()) != nullptr ? pattern : "";
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    std::string file(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace lprnet::test
