// Reading a whole file: its bytes, its limit, and a writer that does not wait.
#include "weights/file_bytes.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include "tests/catch.h"

#include "tests/weights/safetensors_files.h"

namespace lprnet::weights {
namespace {

void check_not_read(const std::string& path, std::size_t most, ErrorCode code,
                    std::initializer_list<std::string_view> parts) {
    const Result<std::vector<std::byte>> bytes = read_file(path, most);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().code == code);
    check_message(bytes.error(), parts);
}

TEST_CASE("reads all bytes, up to the limit", "[file_bytes]") {
    TemporaryFolder folder;
    const std::string path = folder.file("车牌");
    write_bytes(path, std::string_view("a\0b", 3));
    for (const std::size_t most : {std::size_t{3}, std::size_t{4}, std::size_t{1} << 40}) {
        const Result<std::vector<std::byte>> bytes = read_file(path, most);
        REQUIRE(bytes);
        CHECK(bytes.value() == to_bytes(std::string_view("a\0b", 3)));
    }
    check_not_read(path, 2, ErrorCode::malformed, {path, "has 3 bytes", "at most 2"});
    check_not_read(path, 0, ErrorCode::malformed, {path, "has 3 bytes", "at most 0"});
}

TEST_CASE("what is no file with bytes", "[file_bytes]") {
    TemporaryFolder folder;
    check_not_read("", 9, ErrorCode::invalid_argument, {"empty path"});
    check_not_read(folder.path(), 9, ErrorCode::not_found, {"found a folder"});
    check_not_read(folder.file("none"), 9, ErrorCode::not_found, {"no such file"});
    check_not_read("/dev/zero", 9, ErrorCode::not_found, {"regular file"});
    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    check_not_read(folder.file("pipe"), 9, ErrorCode::not_found, {"regular file"});
    write_bytes(folder.file("empty"), "");
    check_not_read(folder.file("empty"), 9, ErrorCode::malformed, {"the file is empty"});
}

TEST_CASE("files of the system that have no size", "[file_bytes]") {
    // Their size is 0 before they are read, and they may never end.
    check_not_read("/proc/self/status", 1 << 20, ErrorCode::malformed, {"the file is empty"});
}

// A mapped file raises SIGBUS here.
TEST_CASE("a file rewritten in place while it is read", "[file_bytes][threads]") {
    TemporaryFolder folder;
    const std::string path = folder.file("frame");
    write_bytes(path, std::string(300000, 'a'));
    std::atomic<bool> done = false;
    std::thread writer([&] {
        for (int i = 0; !done; ++i) {
            std::ofstream(path, std::ios::binary | std::ios::trunc)
                << std::string(static_cast<std::size_t>(1 + i * 7919 % 300000), 'a');
        }
    });
    bool only_its_bytes = true;
    for (int i = 0; i < 300; ++i) {
        const Result<std::vector<std::byte>> bytes = read_file(path, 400000);
        if (!bytes) continue;  // it was empty just then
        only_its_bytes &= std::all_of(bytes.value().begin(), bytes.value().end(),
                                      [](std::byte b) { return b == std::byte{'a'}; });
    }
    done = true;
    writer.join();
    CHECK(only_its_bytes);
}

}  // namespace
}  // namespace lprnet::weights
