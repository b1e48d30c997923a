// The writer: what it writes comes back, is the same every time, and appears whole or not at all.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>
#include "tests/catch.h"

#include "tests/weights/safetensors_files.h"
#include "weights/safetensors.h"

namespace lprnet::weights {
namespace {

const std::vector<float> kFloats = {1.5F, -2.25F, 0, 3e-40F, 5, 6};
const std::vector<std::int8_t> kInts = {-128, 127, 1};
const std::vector<double> kDoubles = {0.1};

std::vector<TensorView> sample_tensors() {
    return {view_of<std::int8_t>("a.quantized", {3}, kInts),
            view_of<float>("backbone.0.weight", {1, 2, 3, 1}, kFloats),
            view_of<float>("none", {0, 4}, std::span<const float>()),
            view_of<double>("z", {}, kDoubles)};
}

const Metadata kSampleMetadata = {{"lprnet.format", "1"},
                                  {"lprnet.charset", "[\"京\",\"-\"]"},
                                  {"odd \"key\"\\", std::string("tab\t zero\0 del\x7f\n", 17)},
                                  {"", ""}};

Bytes must_serialize(const std::vector<TensorView>& tensors, const Metadata& metadata) {
    Result<Bytes> bytes = serialize_safetensors(tensors, metadata);
    if (!bytes) FAIL(bytes.error().message);
    return *std::move(bytes);
}

void check_refused_by_writer(const std::vector<TensorView>& tensors, const Metadata& metadata,
                             std::initializer_list<std::string_view> parts) {
    const Result<Bytes> bytes = serialize_safetensors(tensors, metadata);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().code == ErrorCode::invalid_argument);
    check_message(bytes.error(), parts);
    // The same through a file, which must not come into being.
    TemporaryFolder folder;
    const Status status = write_safetensors(folder.file("m.safetensors"), tensors, metadata);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::invalid_argument);
    CHECK(status.error().message.rfind(folder.file("m.safetensors") + ": ", 0) == 0);
    check_message(status.error(), parts);
    CHECK(folder.entry_count() == 0);
}

TEST_CASE("what is written comes back", "[safetensors][writer]") {
    TemporaryFolder folder;
    const std::string path = folder.file("车牌 model.safetensors");
    const std::vector<TensorView> tensors = sample_tensors();
    REQUIRE(write_safetensors(path, tensors, kSampleMetadata));
    CHECK(folder.entry_count() == 1);
    const Result<SafetensorsFile> file = SafetensorsFile::open(path);
    REQUIRE(file);
    CHECK(file->metadata() == kSampleMetadata);
    REQUIRE(file->tensors().size() == tensors.size());
    for (const TensorView& tensor : tensors) {
        const TensorView* back = file->find(tensor.name);
        REQUIRE(back != nullptr);
        CHECK(back->dtype == tensor.dtype);
        CHECK(back->shape == tensor.shape);
        CHECK(std::equal(back->bytes.begin(), back->bytes.end(), tensor.bytes.begin(),
                         tensor.bytes.end()));
    }
    CHECK(read_bytes(path) == must_serialize(tensors, kSampleMetadata));
}

TEST_CASE("the bytes of a small file, one by one", "[safetensors][writer]") {
    const std::vector<std::uint8_t> byte = {0xAB};
    const std::vector<TensorView> tensors = {view_of<std::uint8_t>("b", {1, 1}, byte)};
    const std::string header =
        R"({"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[1,1],"data_offsets":[0,1]}})";
    const std::string padded = header + std::string(128 - 8 - header.size(), ' ');
    CHECK(must_serialize(tensors, {{"k", "v"}}) == file_of(padded, "\xAB"));
    CHECK(must_serialize({}, {}) == file_of("{}" + std::string(54, ' ')));
}

TEST_CASE("the same tensors in any order give the same bytes", "[safetensors][writer]") {
    std::vector<TensorView> tensors = sample_tensors();
    const Bytes expected = must_serialize(tensors, kSampleMetadata);
    std::sort(tensors.begin(), tensors.end(),
              [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
    do {
        CHECK(must_serialize(tensors, kSampleMetadata) == expected);
    } while (std::next_permutation(
        tensors.begin(), tensors.end(),
        [](const TensorView& a, const TensorView& b) { return a.name < b.name; }));
}

TEST_CASE("data begins at a multiple of 64, each tensor at one of its element size",
          "[safetensors][writer]") {
    for (std::size_t length = 1; length < 80; ++length) {
        std::vector<TensorView> tensors = sample_tensors();
        tensors.push_back(
            view_of<float>(std::string(length, 'n'), {2}, std::span(kFloats).first(2)));
        const Bytes bytes = must_serialize(tensors, {});
        const Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x");
        REQUIRE(file);
        CHECK(file->data_offset() % 64 == 0);
        for (const TensorView& tensor : file->tensors()) {
            const auto offset = static_cast<std::size_t>(tensor.bytes.data() - bytes.data());
            CHECK(offset % element_size(tensor.dtype) == 0);
        }
    }
}

TEST_CASE("the writer refuses bad names", "[safetensors][writer]") {
    const std::span<const float> one = std::span(kFloats).first(1);
    const auto named = [&](std::string name) {
        return std::vector<TensorView>{view_of<float>(std::move(name), {1}, one)};
    };
    check_refused_by_writer(named(""), {}, {"''", "empty"});
    check_refused_by_writer(named(std::string("a\0b", 3)), {}, {"'a\\x00b'", "control"});
    check_refused_by_writer(named("a\nb"), {}, {"'a\\x0ab'", "control"});
    check_refused_by_writer(named("\xff"), {}, {"'\\xff'", "UTF-8"});
    check_refused_by_writer(named(std::string(513, 'n')), {}, {"nnn...'", "513", "512"});
    check_refused_by_writer(named("__metadata__"), {}, {"'__metadata__'", "reserved"});
    std::vector<TensorView> twice = named("w");
    twice.push_back(twice[0]);
    check_refused_by_writer(twice, {}, {"'w'", "occurs twice"});
}

TEST_CASE("the writer refuses bytes that do not fit the shape", "[safetensors][writer]") {
    const auto shaped = [&](std::vector<std::int64_t> shape) {
        return std::vector<TensorView>{view_of<float>("w", std::move(shape), kFloats)};
    };
    check_refused_by_writer(shaped({5}), {}, {"'w'", "20 bytes", "F32 [5]", "24"});
    check_refused_by_writer(shaped({-6, -1}), {}, {"'w'", "[-6, -1]"});
    check_refused_by_writer(shaped({std::int64_t{1} << 62, 4}), {}, {"'w'", "63 bits"});
    check_refused_by_writer(shaped({6, 1, 1, 1, 1, 1, 1, 1, 1}), {}, {"'w'", "8 dimensions", "9"});
}

TEST_CASE("the writer refuses metadata that is not UTF-8", "[safetensors][writer]") {
    check_refused_by_writer({}, {{"k\xff", "v"}}, {"'k\\xff'", "UTF-8"});
    check_refused_by_writer({}, {{"k", "v\xc3"}}, {"'k'", "UTF-8"});
}

TEST_CASE("the writer keeps to the reader's limits", "[safetensors][writer]") {
    Metadata many;
    for (std::size_t i = 0; i <= kMaxMetadataEntries; ++i) many.emplace(std::to_string(i), "");
    check_refused_by_writer({}, many, {"4096", "4097"});
    check_refused_by_writer({}, {{"k", std::string(kMaxHeaderBytes, 'v')}}, {"16777216"});
    std::vector<TensorView> tensors(kMaxTensors + 1);
    check_refused_by_writer(tensors, {}, {"65536", "65537"});
}

TEST_CASE("replaces a file and keeps its permissions", "[safetensors][writer]") {
    TemporaryFolder folder;
    const std::string path = folder.file("m.safetensors");
    write_bytes(path, "before");
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    REQUIRE(write_safetensors(path, sample_tensors(), {}));
    CHECK(read_bytes(path) == must_serialize(sample_tensors(), {}));
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    CHECK(folder.entry_count() == 1);
}

TEST_CASE("replaces the file behind a link", "[safetensors][writer]") {
    TemporaryFolder folder;
    write_bytes(folder.file("real"), "before");
    std::filesystem::create_symlink("real", folder.file("link"));
    REQUIRE(write_safetensors(folder.file("link"), sample_tensors(), {}));
    CHECK(std::filesystem::is_symlink(folder.file("link")));
    CHECK(read_bytes(folder.file("real")) == must_serialize(sample_tensors(), {}));
    CHECK(folder.entry_count() == 2);
}

TEST_CASE("a file can be rewritten while it is open", "[safetensors][writer]") {
    TemporaryFolder folder;
    const std::string path = folder.file("m.safetensors");
    REQUIRE(write_safetensors(path, sample_tensors(), {{"v", "1"}}));
    const Result<SafetensorsFile> file = SafetensorsFile::open(path);
    REQUIRE(file);
    REQUIRE(write_safetensors(path, file->tensors(), {{"v", "2"}}));
    CHECK(file->find("backbone.0.weight")->f32()[1] == -2.25F);
    const Result<SafetensorsFile> again = SafetensorsFile::open(path);
    REQUIRE(again);
    CHECK(again->metadata().at("v") == "2");
    CHECK(again->find("backbone.0.weight")->f32()[1] == -2.25F);
}

TEST_CASE("paths that cannot be written", "[safetensors][writer]") {
    TemporaryFolder folder;
    write_bytes(folder.file("plain"), "x");
    struct Case {
        std::string path;
        ErrorCode code;
        std::vector<std::string> parts;
    };
    const Case cases[] = {
        {"", ErrorCode::invalid_argument, {"empty path"}},
        {std::string("a\0b", 3), ErrorCode::invalid_argument, {"a\\x00b", "zero byte"}},
        {folder.path(), ErrorCode::not_found, {folder.path(), "found a folder"}},
        {folder.file("no/m"), ErrorCode::not_found, {folder.file("no/m"), "cannot be created"}},
        {folder.file("plain/m"), ErrorCode::not_found, {folder.file("plain/m"), "cannot be"}},
        {folder.file("line\nbreak/m"), ErrorCode::not_found, {"line\\x0abreak"}},
    };
    for (const Case& one : cases) {
        const Status status = write_safetensors(one.path, sample_tensors(), {});
        REQUIRE_FALSE(status);
        CHECK(status.error().code == one.code);
        for (const std::string& part : one.parts) check_message(status.error(), {part});
    }
    CHECK(folder.entry_count() == 1);
    CHECK(read_bytes(folder.file("plain")) == to_bytes("x"));
}

// File permissions bind no superuser; as one, the test runs these lines as nobody.
class Unprivileged {
public:
    Unprivileged() {
        if (::geteuid() == 0 && ::seteuid(65534) == 0) changed_ = true;
    }
    ~Unprivileged() {
        if (changed_) static_cast<void>(!::seteuid(0));
    }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;
    bool holds() const { return ::geteuid() != 0; }

private:
    bool changed_ = false;
};

TEST_CASE("a folder and a file without write permission", "[safetensors][writer]") {
    TemporaryFolder folder;
    const std::string path = folder.file("m.safetensors");
    write_bytes(path, "before");
    REQUIRE(::chmod(path.c_str(), 0444) == 0);
    REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
    {
        const Unprivileged nobody;
        if (!nobody.holds()) {
            WARN("skipped: running as root, and it cannot be given up");
        } else {
            const Status existing = write_safetensors(path, sample_tensors(), {});
            REQUIRE_FALSE(existing);
            CHECK(existing.error().code == ErrorCode::not_found);
            check_message(existing.error(), {path, "cannot be replaced"});
            const std::string fresh = folder.file("n.safetensors");
            const Status created = write_safetensors(fresh, sample_tensors(), {});
            REQUIRE_FALSE(created);
            check_message(created.error(), {fresh, "cannot be created"});
        }
    }
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    CHECK(read_bytes(path) == to_bytes("before"));
    CHECK(folder.entry_count() == 1);
}

TEST_CASE("a full device is an error, and stays a device", "[safetensors][writer]") {
    if (!std::filesystem::is_character_file("/dev/full")) {
        WARN("skipped: no /dev/full here");
        return;
    }
    const Status status = write_safetensors("/dev/full", sample_tensors(), {});
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::not_found);
    check_message(status.error(), {"/dev/full", "cannot be written", "space"});
    CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("a device is written to directly", "[safetensors][writer]") {
    CHECK(write_safetensors("/dev/null", sample_tensors(), {}));
    CHECK(std::filesystem::is_character_file("/dev/null"));
}

// Lets this process write no file beyond `bytes`: a disk that fills up in the middle.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        before_action_ = ::signal(SIGXFSZ, SIG_IGN);
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
        const rlimit limit = {bytes, before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, before_action_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_ = {};
    void (*before_action_)(int) = SIG_DFL;
};

TEST_CASE("a write that fails half-way leaves the old file and nothing else",
          "[safetensors][writer]") {
    TemporaryFolder folder;
    const std::string path = folder.file("m.safetensors");
    write_bytes(path, "before");
    const std::vector<float> large(100000, 1.0F);
    const std::vector<TensorView> tensors = {view_of<float>("w", {100000}, large)};
    Status status;
    {
        const FileSizeLimit limit(65536);
        status = write_safetensors(path, tensors, {});
    }
    REQUIRE_FALSE(status);
    check_message(status.error(), {path, "cannot be written"});
    CHECK(read_bytes(path) == to_bytes("before"));
    CHECK(folder.entry_count() == 1);
}

}  // namespace
}  // namespace lprnet::weights
