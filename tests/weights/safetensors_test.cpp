// The reader: what it takes, and one test for each thing it refuses.
#include "weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>
#include "tests/catch.h"

#include "tests/weights/safetensors_files.h"

namespace lprnet::weights {
namespace {

SafetensorsFile must_open(const Bytes& bytes) {
    Result<SafetensorsFile> file = SafetensorsFile::from_memory(bytes, "x.safetensors");
    if (!file) FAIL(file.error().message);
    return *std::move(file);
}

// Names and data orders differ on purpose: "b" lies before "a".
Bytes small_file() {
    return file_of("{\"__metadata__\":{\"who\":\"me\",\"é\":\"京\"}," +
                       entry("a", "F32", "[2,1]", "[4,12]") + "," +
                       entry("b", "U8", "[4]", "[0,4]") + "}  ",
                   "wxyz" + data_of({1.5F, -2.0F}));
}

TEST_CASE("reads tensors, shapes and metadata", "[safetensors]") {
    const Bytes bytes = small_file();
    const SafetensorsFile file = must_open(bytes);
    REQUIRE(file.tensors().size() == 2);
    CHECK(file.tensors()[0].name == "a");
    CHECK(file.tensors()[1].name == "b");
    CHECK(file.label() == "x.safetensors");
    CHECK(file.data_offset() == bytes.size() - 12);
    const TensorView* a = file.find("a");
    REQUIRE(a == &file.tensors()[0]);
    CHECK(a->dtype == DType::f32);
    CHECK(a->shape == std::vector<std::int64_t>{2, 1});
    CHECK(a->element_count() == 2);
    std::vector<float> values;
    REQUIRE(a->copy_f32(values));
    CHECK(values == std::vector<float>{1.5F, -2.0F});
    const TensorView* b = file.find("b");
    REQUIRE(b == &file.tensors()[1]);
    CHECK(b->dtype == DType::u8);
    CHECK(b->bytes[3] == std::byte{'z'});
    CHECK(file.find("c") == nullptr);
    CHECK(file.find("") == nullptr);
    CHECK(file.find("__metadata__") == nullptr);
    CHECK(file.metadata() == Metadata{{"who", "me"}, {"é", "京"}});
}

TEST_CASE("reads a file without tensors and without metadata", "[safetensors]") {
    const SafetensorsFile file = must_open(file_of("{}"));
    CHECK(file.tensors().empty());
    CHECK(file.metadata().empty());
}

TEST_CASE("reads scalars, tensors without elements and every dtype", "[safetensors]") {
    constexpr DType kAll[] = {DType::f64, DType::f32, DType::f16,    DType::bf16, DType::i64,
                              DType::i32, DType::i16, DType::i8,     DType::u64,  DType::u32,
                              DType::u16, DType::u8,  DType::boolean};
    constexpr std::size_t kSizes[] = {8, 4, 2, 2, 8, 4, 2, 1, 8, 4, 2, 1, 1};
    for (std::size_t i = 0; i < std::size(kAll); ++i) {
        const std::size_t size = element_size(kAll[i]);
        CHECK(size == kSizes[i]);
        const std::string end = std::to_string(size);
        const Bytes bytes =
            file_of("{" + entry("none", dtype_name(kAll[i]), "[3,0,2]", "[0,0]") + "," +
                        entry("last", dtype_name(kAll[i]), "[0]", "[" + end + "," + end + "]") +
                        "," + entry("one", dtype_name(kAll[i]), "[]", "[0," + end + "]") + "}",
                    std::string(size, '\0'));
        const SafetensorsFile file = must_open(bytes);
        REQUIRE(file.tensors().size() == 3);
        CHECK(file.find("none")->element_count() == 0);
        CHECK(file.find("last")->bytes.empty());
        CHECK(file.find("one")->dtype == kAll[i]);
        CHECK(file.find("one")->element_count() == 1);
        CHECK(file.find("one")->shape.empty());
        for (const TensorView& tensor : file.tensors()) CHECK(check_finite(tensor));
    }
}

TEST_CASE("a moved file keeps its views", "[safetensors]") {
    TemporaryFolder folder;
    const std::vector<float> values = {1, 2, 3};
    const std::vector<TensorView> tensors = {view_of<float>("w", {3}, values)};
    REQUIRE(write_safetensors(folder.file("m.safetensors"), tensors, {}));
    Result<SafetensorsFile> opened = SafetensorsFile::open(folder.file("m.safetensors"));
    REQUIRE(opened);
    const float* before = opened->find("w")->f32().data();
    SafetensorsFile moved = *std::move(opened);
    SafetensorsFile assigned = must_open(file_of("{}"));
    assigned = std::move(moved);
    REQUIRE(assigned.find("w") != nullptr);
    CHECK(assigned.find("w")->f32().data() == before);
    CHECK(assigned.find("w")->f32()[2] == 3.0F);
}

TEST_CASE("float data is readable at any alignment", "[safetensors]") {
    // Four copies of one file at the four addresses modulo 4: exactly one of them is aligned.
    const Bytes bytes = file_of(
        "{" + entry("flag", "U8", "[1]", "[0,1]") + "," + entry("w", "F32", "[3]", "[1,13]") + "}",
        "!" + data_of({0.25F, -7.0F, 3e38F}));
    int aligned = 0;
    for (std::size_t shift = 0; shift < 4; ++shift) {
        std::vector<std::byte> room(bytes.size() + shift);
        std::copy(bytes.begin(), bytes.end(), room.begin() + static_cast<std::ptrdiff_t>(shift));
        const Result<SafetensorsFile> file =
            SafetensorsFile::from_memory(std::span(room).subspan(shift), "shifted");
        REQUIRE(file);
        const TensorView& w = *file->find("w");
        std::vector<float> values;
        REQUIRE(w.copy_f32(values));
        CHECK(values == std::vector<float>{0.25F, -7.0F, 3e38F});
        CHECK(check_finite(w));
        if (w.has_f32()) {
            ++aligned;
            CHECK(std::equal(values.begin(), values.end(), w.f32().begin(), w.f32().end()));
        } else {
            CHECK(w.f32().empty());
        }
    }
    CHECK(aligned == 1);
}

TEST_CASE("float access refuses another dtype and broken views", "[safetensors]") {
    const Bytes bytes = small_file();
    const SafetensorsFile file = must_open(bytes);
    const TensorView& b = *file.find("b");
    CHECK_FALSE(b.has_f32());
    CHECK(b.f32().empty());
    std::vector<float> values;
    const Status status = b.copy_f32(values);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::mismatch);
    check_message(status.error(), {"'b'", "F32", "U8"});

    TensorView ragged = b;
    ragged.dtype = DType::f32;
    ragged.bytes = ragged.bytes.first(3);
    const Status second = ragged.copy_f32(values);
    REQUIRE_FALSE(second);
    check_message(second.error(), {"'b'", "3 bytes"});
}

TEST_CASE("refuses an empty file", "[safetensors]") {
    check_refused({}, ErrorCode::malformed, {"empty"});
}

TEST_CASE("refuses a file too short for the header length", "[safetensors]") {
    check_refused(to_bytes(std::string_view("\x01\0\0\0\0\0\0", 7)), ErrorCode::malformed,
                  {"7 bytes", "offset 0"});
}

TEST_CASE("refuses a header length of 0 and 1", "[safetensors]") {
    check_refused(file_of(""), ErrorCode::malformed, {"header length of 0", "at least 2"});
    check_refused(file_of("{"), ErrorCode::malformed, {"header length of 1", "at least 2"});
}

TEST_CASE("refuses a header length above the limit", "[safetensors]") {
    check_refused(file_with_length(kMaxHeaderBytes + 1, "{}"), ErrorCode::malformed,
                  {"16777217", "16777216", "offset 0"});
    check_refused(file_with_length(std::numeric_limits<std::uint64_t>::max(), "{}"),
                  ErrorCode::malformed, {"18446744073709551615", "offset 0"});
}

TEST_CASE("refuses a header longer than the file", "[safetensors]") {
    check_refused(file_with_length(3, "{}"), ErrorCode::malformed,
                  {"header length of 3", "2 bytes", "cut short"});
}

TEST_CASE("refuses a header that does not begin with a brace", "[safetensors]") {
    check_refused(file_of(" {}"), ErrorCode::malformed, {"0x20", "offset 8"});
    check_refused(file_of("[]"), ErrorCode::malformed, {"0x5b", "offset 8"});
    check_refused(file_of("\xEF\xBB\xBF{}"), ErrorCode::malformed, {"0xef", "offset 8"});
}

TEST_CASE("tells a zip checkpoint", "[safetensors]") {
    check_refused(to_bytes(std::string_view("PK\x03\x04\0\0\x08\x08\0\0\0\0archive/data.pkl", 28)),
                  ErrorCode::malformed, {"PyTorch checkpoint", "scripts/export_weights.py"});
}

TEST_CASE("tells a legacy pickle checkpoint", "[safetensors]") {
    check_refused(to_bytes("\x80\x02\x8a\nl\xfc\x9c"
                           "F\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."),
                  ErrorCode::malformed, {"PyTorch checkpoint", "scripts/export_weights.py"});
}

TEST_CASE("a valid header length that looks like a pickle or zip is no checkpoint",
          "[safetensors]") {
    // 0x0280 bytes of header: the file begins with 80 02, as a pickle does.
    CHECK(must_open(file_of("{}" + std::string(0x0280 - 2, ' '))).tensors().empty());
    // 0x4B50: the file begins with "PK".
    CHECK(must_open(file_of("{}" + std::string(0x4B50 - 2, ' '))).tensors().empty());
}

TEST_CASE("tells a text file", "[safetensors]") {
    check_refused(to_bytes("# my model\nweights: none\n"), ErrorCode::malformed, {"text file"});
    check_refused(to_bytes("hi\n"), ErrorCode::malformed, {"text file"});
    std::string plates;
    for (int i = 0; i < 200; ++i) plates += "京A12345";
    for (std::size_t shift = 0; shift < 4; ++shift) {
        check_refused(to_bytes(std::string(shift, 'x') + plates), ErrorCode::malformed,
                      {"text file"});
    }
}

TEST_CASE("tells a Git LFS pointer", "[safetensors]") {
    check_refused(to_bytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
                  ErrorCode::malformed, {"Git LFS pointer", "git lfs pull"});
}

TEST_CASE("other binary files get the header length they seem to announce", "[safetensors]") {
    check_refused(to_bytes("\x89PNG\r\n\x1a\nxxxxxxxx"), ErrorCode::malformed,
                  {"expected a safetensors file", "header length"});
}

TEST_CASE("refuses a header that is not JSON, with the offset", "[safetensors]") {
    check_refused(file_of("{\"a\" 1}"), ErrorCode::malformed, {"JSON", "offset 13"});
    check_refused(file_of("{\"a\":"), ErrorCode::malformed, {"JSON"});
    check_refused(file_of("{}{}"), ErrorCode::malformed, {"JSON", "offset 10"});
    check_refused(file_of("{}// remark"), ErrorCode::malformed, {"JSON"});
    check_refused(file_of("{\"a\":{\"dtype\":\"F32\n\"}}"), ErrorCode::malformed, {"JSON"});
    check_refused(file_of("{\"a\":{\"shape\":[1e999]}}"), ErrorCode::malformed, {"JSON"});
    check_refused(file_of("{\"\\ud800\":{}}"), ErrorCode::malformed, {"JSON"});
}

TEST_CASE("refuses a zero byte in the header", "[safetensors]") {
    check_refused(file_of(std::string_view("{}\0junk", 7)), ErrorCode::malformed,
                  {"zero byte", "offset 10"});
}

TEST_CASE("refuses a header that is not UTF-8", "[safetensors]") {
    check_refused(file_of("{\"\xC3(\":{}}"), ErrorCode::malformed, {"UTF-8", "offset 10"});
    check_refused(file_of("{\"\xC0\xAF\":{}}"), ErrorCode::malformed, {"UTF-8", "offset 10"});
    check_refused(file_of("{\"__metadata__\":{\"k\":\"\xED\xA0\x80\"}}"), ErrorCode::malformed,
                  {"UTF-8"});
}

TEST_CASE("deep nesting is refused, not followed", "[safetensors]") {
    check_refused(file_of("{\"a\":" + std::string(1000000, '[')), ErrorCode::malformed,
                  {"'a'", "an array"});
    check_refused(file_of("{\"a\":{\"shape\":" + std::string(1000000, '[')), ErrorCode::malformed,
                  {"'a'", "shape", "an array"});
}

TEST_CASE("refuses an entry that is no object", "[safetensors]") {
    for (const auto* value : {"null", "true", "3", "-3", "-0", "1.5", "\"x\"", "[]"}) {
        check_refused(file_of("{\"conv.weight\":" + std::string(value) + "}"), ErrorCode::malformed,
                      {"'conv.weight'", "expected an object"});
    }
}

TEST_CASE("refuses an unknown, missing or repeated field", "[safetensors]") {
    check_refused(file_of("{\"w\":{\"stride\":1}}"), ErrorCode::malformed, {"'w'", "'stride'"});
    check_refused(file_of("{\"w\":{}}"), ErrorCode::malformed, {"'w'", "dtype is missing"});
    check_refused(file_of("{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}"),
                  ErrorCode::malformed, {"'w'", "shape is missing"});
    check_refused(file_of("{\"w\":{\"dtype\":\"F32\",\"shape\":[0]}}"), ErrorCode::malformed,
                  {"'w'", "data_offsets is missing"});
    check_refused(file_of("{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"), ErrorCode::malformed,
                  {"'w'", "dtype occurs twice"});
    // The fields of one tensor do not count for the next.
    check_refused(file_of("{" + entry("v", "F32", "[0]", "[0,0]") + ",\"w\":{}}"),
                  ErrorCode::malformed, {"'w'", "dtype is missing"});
}

TEST_CASE("refuses a dtype that is unknown or no string", "[safetensors]") {
    check_refused(file_of("{" + entry("w", "F8_E4M3", "[1]", "[0,1]") + "}", "x"),
                  ErrorCode::unsupported, {"'w'", "'F8_E4M3'", "F32"});
    check_refused(file_of("{" + entry("w", "f32", "[1]", "[0,4]") + "}", "xxxx"),
                  ErrorCode::unsupported, {"'w'", "'f32'"});
    check_refused(file_of("{\"w\":{\"dtype\":7}}"), ErrorCode::malformed,
                  {"'w'", "dtype", "a string", "7"});
}

TEST_CASE("refuses a shape that is no list of whole numbers", "[safetensors]") {
    for (const auto* shape :
         {"null", "3", "\"3\"", "{}", "true", "[null]", "[1.0]", "[\"1\"]", "[[1]]", "[-1]", "[-0]",
          "[9223372036854775808]", "[99999999999999999999999]", "[{}]", "[1,false]"}) {
        check_refused(file_of("{" + entry("w", "F32", shape, "[0,4]") + "}", "xxxx"),
                      ErrorCode::malformed, {"'w'", "shape: expected", "whole numbers", "found"});
    }
}

TEST_CASE("refuses too many dimensions", "[safetensors]") {
    CHECK(must_open(file_of("{" + entry("w", "U8", "[1,1,1,1,1,1,1,1]", "[0,1]") + "}", "x"))
              .find("w")
              ->shape.size() == kMaxRank);
    check_refused(file_of("{" + entry("w", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") + "}", "x"),
                  ErrorCode::malformed, {"'w'", "more than 8 dimensions"});
}

TEST_CASE("refuses offsets that are not two whole numbers", "[safetensors]") {
    for (const auto* offsets : {"null", "4", "\"0\"", "{}", "[0.0,4]", "[0,-4]", "[0,null]",
                                "[[0,4]]", "[0,18446744073709551616]"}) {
        check_refused(file_of("{" + entry("w", "F32", "[1]", offsets) + "}", "xxxx"),
                      ErrorCode::malformed, {"'w'", "data_offsets: expected", "found"});
    }
    check_refused(file_of("{" + entry("w", "F32", "[1]", "[]") + "}", "xxxx"), ErrorCode::malformed,
                  {"'w'", "data_offsets", "found 0"});
    check_refused(file_of("{" + entry("w", "F32", "[1]", "[4]") + "}", "xxxx"),
                  ErrorCode::malformed, {"'w'", "data_offsets", "found 1"});
    check_refused(file_of("{" + entry("w", "F32", "[1]", "[0,4,4]") + "}", "xxxx"),
                  ErrorCode::malformed, {"'w'", "data_offsets", "more"});
}

TEST_CASE("refuses offsets that run backwards", "[safetensors]") {
    check_refused(file_of("{" + entry("w", "F32", "[1]", "[4,0]") + "}", "xxxx"),
                  ErrorCode::malformed, {"'w'", "backwards", "4", "0"});
}

TEST_CASE("refuses offsets past the end: the file is cut short", "[safetensors]") {
    check_refused(file_of("{" + entry("w", "F32", "[2]", "[0,8]") + "}", "xxxxxxx"),
                  ErrorCode::malformed, {"'w'", "offset 8", "7 bytes of data", "cut short"});
    check_refused(
        file_of("{" + entry("w", "F32", "[2]", "[18446744073709551608,18446744073709551615]") +
                "}"),
        ErrorCode::malformed, {"'w'", "18446744073709551615"});
}

TEST_CASE("every truncation of a valid file is refused", "[safetensors]") {
    const Bytes bytes = small_file();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        const Result<SafetensorsFile> file = SafetensorsFile::from_memory(cut, "cut");
        REQUIRE_FALSE(file);
        check_message(file.error(), {"cut: "});
    }
}

TEST_CASE("refuses a shape that disagrees with the offsets", "[safetensors]") {
    check_refused(file_of("{" + entry("w", "F32", "[3]", "[0,8]") + "}", "xxxxxxxx"),
                  ErrorCode::malformed, {"'w'", "12 bytes", "F32 [3]", "0 to 8"});
    check_refused(file_of("{" + entry("w", "F32", "[0]", "[0,8]") + "}", "xxxxxxxx"),
                  ErrorCode::malformed, {"'w'", "expected 0 bytes"});
    check_refused(file_of("{" + entry("w", "F32", "[]", "[0,8]") + "}", "xxxxxxxx"),
                  ErrorCode::malformed, {"'w'", "expected 4 bytes", "F32 []"});
}

TEST_CASE("refuses a shape whose size overflows", "[safetensors]") {
    for (const auto* shape :
         {"[9223372036854775807]", "[4294967296,4294967296]", "[4294967296,4294967296,0]",
          "[0,4294967296,4294967296]", "[65536,65536,65536,65536]", "[4611686018427387904,4]"}) {
        check_refused(file_of("{" + entry("w", "F32", shape, "[0,0]") + "}"), ErrorCode::malformed,
                      {"'w'", "too large"});
    }
}

TEST_CASE("refuses tensors that overlap", "[safetensors]") {
    check_refused(file_of("{" + entry("a", "U8", "[3]", "[0,3]") + "," +
                              entry("b", "U8", "[2]", "[2,4]") + "}",
                          "wxyz"),
                  ErrorCode::malformed, {"'b'", "offset 2", "'a'", "3"});
    check_refused(file_of("{" + entry("a", "U8", "[4]", "[0,4]") + "," +
                              entry("b", "U8", "[4]", "[0,4]") + "}",
                          "wxyz"),
                  ErrorCode::malformed, {"'b'", "'a'"});
    check_refused(file_of("{" + entry("a", "U8", "[4]", "[0,4]") + "," +
                              entry("none", "U8", "[0]", "[2,2]") + "}",
                          "wxyz"),
                  ErrorCode::malformed, {"'none'", "'a'"});
}

TEST_CASE("refuses bytes between tensors", "[safetensors]") {
    check_refused(file_of("{" + entry("a", "U8", "[1]", "[0,1]") + "," +
                              entry("b", "U8", "[2]", "[2,4]") + "}",
                          "wxyz"),
                  ErrorCode::malformed, {"'b'", "offset 2", "expected 1"});
    check_refused(file_of("{" + entry("a", "U8", "[3]", "[1,4]") + "}", "wxyz"),
                  ErrorCode::malformed, {"'a'", "offset 1", "expected 0"});
}

TEST_CASE("refuses bytes left over", "[safetensors]") {
    check_refused(file_of("{" + entry("a", "U8", "[3]", "[0,3]") + "}", "wxyz"),
                  ErrorCode::malformed, {"1 bytes belong to no tensor", "offset 3"});
    check_refused(file_of("{}", "w"), ErrorCode::malformed, {"1 bytes belong to no tensor"});
}

TEST_CASE("refuses a tensor name that occurs twice", "[safetensors]") {
    check_refused(
        file_of("{" + entry("w", "U8", "[2]", "[0,2]") + "," + entry("v", "U8", "[0]", "[0,0]") +
                    "," + entry("\\u0077", "U8", "[2]", "[2,4]") + "}",
                "wxyz"),
        ErrorCode::malformed, {"'w'", "occurs twice"});
}

TEST_CASE("refuses metadata that occurs twice", "[safetensors]") {
    check_refused(file_of("{\"__metadata__\":{},\"__metadata__\":{}}"), ErrorCode::malformed,
                  {"__metadata__", "occurs twice"});
    check_refused(file_of("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}"), ErrorCode::malformed,
                  {"__metadata__", "'k'", "occurs twice"});
}

TEST_CASE("refuses metadata that is no map of strings", "[safetensors]") {
    for (const auto* value : {"null", "[]", "\"x\"", "1"}) {
        check_refused(file_of("{\"__metadata__\":" + std::string(value) + "}"),
                      ErrorCode::malformed, {"__metadata__", "object of strings"});
    }
    for (const auto* value : {"null", "[]", "{}", "1", "-1", "1.5", "false"}) {
        check_refused(file_of("{\"__metadata__\":{\"k\":" + std::string(value) + "}}"),
                      ErrorCode::malformed, {"__metadata__", "'k'", "expected a string"});
    }
    // After a tensor, the metadata is still what the message is about.
    check_refused(file_of("{" + entry("w", "U8", "[0]", "[0,0]") + ",\"__metadata__\":{\"k\":1}}"),
                  ErrorCode::malformed, {"__metadata__", "'k'"});
}

TEST_CASE("refuses names that are empty, too long or not printable", "[safetensors]") {
    check_refused(file_of("{" + entry("", "U8", "[0]", "[0,0]") + "}"), ErrorCode::malformed,
                  {"''", "empty"});
    check_refused(
        file_of("{" + entry(std::string(kMaxNameBytes + 1, 'n'), "U8", "[0]", "[0,0]") + "}"),
        ErrorCode::malformed, {"nnn...'", "513 bytes", "512"});
    check_refused(file_of("{" + entry("a\\u0000b", "U8", "[0]", "[0,0]") + "}"),
                  ErrorCode::malformed, {"'a\\x00b'", "control character"});
    check_refused(file_of("{" + entry("a\\n\\u001b[2J", "U8", "[0]", "[0,0]") + "}"),
                  ErrorCode::malformed, {"'a\\x0a\\x1b[2J'", "control character"});
    check_refused(file_of("{" + entry("a\\u2028b", "U8", "[0]", "[0,0]") + "}"),
                  ErrorCode::malformed, {"'a\\xe2\\x80\\xa8b'", "control character"});
    CHECK(
        must_open(file_of("{" + entry(std::string(kMaxNameBytes, 'n'), "U8", "[0]", "[0,0]") + "}"))
            .tensors()
            .size() == 1);
    CHECK(must_open(file_of("{" + entry("层.0", "U8", "[0]", "[0,0]") + "}")).find("层.0") !=
          nullptr);
}

TEST_CASE("messages show no more of a file's text than they must", "[safetensors]") {
    const std::string endless(100000, 'z');
    check_refused(file_of("{\"__metadata__\":{\"" + endless + "\":1}}"), ErrorCode::malformed,
                  {"zzz...'"});
    check_refused(file_of("{\"w\":{\"dtype\":\"" + endless + "\"}}"), ErrorCode::unsupported,
                  {"'w'", "zzz...'"});
    check_refused(file_of("{\"w\":{\"" + endless + "\":1}}"), ErrorCode::malformed,
                  {"'w'", "zzz...'"});
    check_refused(file_of("{\"w\":1." + std::string(100000, '5') + "}"), ErrorCode::malformed,
                  {"'w'", "555..."});
}

TEST_CASE("refuses more tensors than the limit", "[safetensors]") {
    std::string header = "{";
    for (std::size_t i = 0; i < kMaxTensors; ++i) {
        header += entry("t" + std::to_string(i), "U8", "[0]", "[0,0]") + ",";
    }
    CHECK(must_open(file_of(header.substr(0, header.size() - 1) + "}")).tensors().size() ==
          kMaxTensors);
    check_refused(file_of(header + entry("one", "U8", "[0]", "[0,0]") + "}"), ErrorCode::malformed,
                  {"more than 65536 tensors"});
}

TEST_CASE("refuses more metadata than the limit", "[safetensors]") {
    std::string header = "{\"__metadata__\":{";
    for (std::size_t i = 0; i < kMaxMetadataEntries; ++i) {
        header += "\"" + std::to_string(i) + "\":\"\",";
    }
    CHECK(must_open(file_of(header.substr(0, header.size() - 1) + "}}")).metadata().size() ==
          kMaxMetadataEntries);
    check_refused(file_of(header + "\"one\":\"\"}}"), ErrorCode::malformed,
                  {"__metadata__", "more than 4096 entries"});
}

TEST_CASE("a hostile label stays on one line", "[safetensors]") {
    const Result<SafetensorsFile> file = SafetensorsFile::from_memory({}, "a\nb\x1b[2J\xff");
    REQUIRE_FALSE(file);
    check_message(file.error(), {"a\\x0ab\\x1b[2J\\xff: "});
}

TEST_CASE("opens what the mapping gives, with its errors", "[safetensors]") {
    TemporaryFolder folder;
    const Result<SafetensorsFile> missing = SafetensorsFile::open(folder.file("no.safetensors"));
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ErrorCode::not_found);
    check_message(missing.error(), {folder.file("no.safetensors"), "no such file"});

    write_bytes(folder.file("text.safetensors"), "hello, this is text\n");
    const Result<SafetensorsFile> text = SafetensorsFile::open(folder.file("text.safetensors"));
    REQUIRE_FALSE(text);
    CHECK(text.error().code == ErrorCode::malformed);
    check_message(text.error(), {folder.file("text.safetensors"), "text file"});
}

template <class Bits>
TensorView of_bits(DType dtype, const std::vector<Bits>& bits) {
    return {"conv.weight",
            dtype,
            {static_cast<std::int64_t>(bits.size())},
            std::as_bytes(std::span(bits))};
}

void check_not_finite(const TensorView& tensor, std::string_view index, std::string_view value) {
    const Status status = check_finite(tensor);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::malformed);
    check_message(status.error(), {"'conv.weight'", index, value});
}

TEST_CASE("finds numbers that are not finite", "[safetensors]") {
    using f32 = std::numeric_limits<float>;
    using f64 = std::numeric_limits<double>;
    const std::vector<float> good = {0, -0.0F, f32::max(), f32::lowest(), f32::denorm_min()};
    CHECK(check_finite(view_of<float>("w", {5}, good)));
    for (const auto& [value, text] :
         {std::pair{f32::infinity(), "is inf"}, std::pair{-f32::infinity(), "is -inf"},
          std::pair{f32::quiet_NaN(), "is nan"}, std::pair{-f32::quiet_NaN(), "is nan"}}) {
        const std::vector<float> bad = {1, 2, value, value};
        check_not_finite(view_of<float>("conv.weight", {4}, bad), "element 2 of 4", text);
    }
    const std::vector<double> doubles = {f64::max(), -f64::infinity()};
    check_not_finite(view_of<double>("conv.weight", {2}, doubles), "element 1 of 2", "is -inf");
    check_not_finite(of_bits<std::uint16_t>(DType::f16, {0x7BFF, 0x7C00}), "element 1", "is inf");
    check_not_finite(of_bits<std::uint16_t>(DType::f16, {0xFC01}), "element 0", "is nan");
    check_not_finite(of_bits<std::uint16_t>(DType::bf16, {0x7F7F, 0xFF80}), "element 1", "is -inf");
    CHECK(check_finite(of_bits<std::uint16_t>(DType::bf16, {0x7C00, 0x7F7F})));
    CHECK(check_finite(of_bits<std::uint16_t>(DType::u16, {0x7C00, 0xFFFF})));
    CHECK(check_finite(of_bits<std::uint64_t>(DType::i64, {0x7FF0'0000'0000'0000U})));
}

}  // namespace
}  // namespace lprnet::weights
