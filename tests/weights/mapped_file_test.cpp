// Mapping a file: what is there, and every way in which it is not.
#include "weights/mapped_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>
#include "tests/catch.h"

#include "tests/weights/safetensors_files.h"

namespace lprnet::weights {
namespace {

static_assert(!std::is_copy_constructible_v<MappedFile>);
static_assert(!std::is_copy_assignable_v<MappedFile>);
static_assert(std::is_nothrow_move_constructible_v<MappedFile>);
static_assert(std::is_nothrow_move_assignable_v<MappedFile>);

void check_not_opened(const std::string& path, ErrorCode code,
                      std::initializer_list<std::string_view> parts) {
    const Result<MappedFile> file = MappedFile::open(path);
    REQUIRE_FALSE(file);
    CHECK(file.error().code == code);
    check_message(file.error(), parts);
}

bool holds(const MappedFile& file, std::string_view text) {
    const Bytes expected = to_bytes(text);
    return std::equal(file.bytes().begin(), file.bytes().end(), expected.begin(), expected.end());
}

TEST_CASE("maps a file and keeps it through moves", "[mapped_file]") {
    TemporaryFolder folder;
    write_bytes(folder.file("车牌"), "plate");
    write_bytes(folder.file("b"), "another");
    Result<MappedFile> opened = MappedFile::open(folder.file("车牌"));
    REQUIRE(opened);
    CHECK(holds(*opened, "plate"));
    const std::byte* data = opened->bytes().data();

    MappedFile moved = *std::move(opened);
    CHECK(moved.bytes().data() == data);
    CHECK(opened->bytes().empty());

    Result<MappedFile> other = MappedFile::open(folder.file("b"));
    REQUIRE(other);
    moved = *std::move(other);
    CHECK(holds(moved, "another"));
    CHECK(other->bytes().empty());

    MappedFile& self = moved;
    moved = std::move(self);
    CHECK(holds(moved, "another"));

    moved = MappedFile();
    CHECK(moved.bytes().empty());
}

TEST_CASE("the mapping outlives the file's name", "[mapped_file]") {
    TemporaryFolder folder;
    write_bytes(folder.file("a"), "still here");
    const Result<MappedFile> file = MappedFile::open(folder.file("a"));
    REQUIRE(file);
    std::filesystem::remove(folder.file("a"));
    CHECK(holds(*file, "still here"));
}

TEST_CASE("a missing file", "[mapped_file]") {
    TemporaryFolder folder;
    const std::string path = folder.file("none");
    check_not_opened(path, ErrorCode::not_found, {path, "no such file"});
    std::filesystem::create_symlink("nowhere", folder.file("dangling"));
    check_not_opened(folder.file("dangling"), ErrorCode::not_found, {"dangling", "no such file"});
}

TEST_CASE("a folder", "[mapped_file]") {
    TemporaryFolder folder;
    check_not_opened(folder.path(), ErrorCode::not_found, {folder.path(), "found a folder"});
}

TEST_CASE("an empty file", "[mapped_file]") {
    TemporaryFolder folder;
    write_bytes(folder.file("empty"), "");
    check_not_opened(folder.file("empty"), ErrorCode::malformed,
                     {folder.file("empty"), "the file is empty"});
}

TEST_CASE("a path that is none", "[mapped_file]") {
    check_not_opened("", ErrorCode::invalid_argument, {"empty path"});
    check_not_opened(std::string("a\0b", 3), ErrorCode::invalid_argument, {"a\\x00b", "zero byte"});
}

TEST_CASE("a path through a file, and one with a line break", "[mapped_file]") {
    TemporaryFolder folder;
    write_bytes(folder.file("plain"), "x");
    check_not_opened(folder.file("plain/m"), ErrorCode::not_found,
                     {folder.file("plain/m"), "cannot be opened"});
    check_not_opened(folder.file("line\nbreak"), ErrorCode::not_found, {"line\\x0abreak"});
}

TEST_CASE("a pipe, a socket and a device", "[mapped_file]") {
    TemporaryFolder folder;
    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    check_not_opened(folder.file("pipe"), ErrorCode::not_found, {"pipe", "regular file"});
    check_not_opened("/dev/null", ErrorCode::not_found, {"/dev/null", "regular file"});

    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = folder.file("socket");
    if (path.size() < sizeof address.sun_path) {
        std::memcpy(address.sun_path, path.data(), path.size());
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        REQUIRE(fd >= 0);
        REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        check_not_opened(path, ErrorCode::not_found, {path, "cannot be opened"});
        ::close(fd);
    }
}

TEST_CASE("a file without read permission", "[mapped_file]") {
    TemporaryFolder folder;
    const std::string path = folder.file("secret");
    write_bytes(path, "x");
    REQUIRE(::chmod(path.c_str(), 0) == 0);
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    const bool superuser = ::geteuid() == 0;  // whom permissions do not bind
    if (superuser && ::seteuid(65534) != 0) {
        WARN("skipped: running as root, and it cannot be given up");
        return;
    }
    const Result<MappedFile> file = MappedFile::open(path);
    if (superuser) REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(file);
    CHECK(file.error().code == ErrorCode::not_found);
    check_message(file.error(), {path, "cannot be opened"});
}

}  // namespace
}  // namespace lprnet::weights
