// JPEG files that are damaged, hostile or unusual. That pixels are those of OpenCV is tested on
// golden pictures.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include "tests/catch.h"

#include "tests/image_file/picture_bytes.h"
#include "tests/paths.h"

namespace lprnet {
namespace {

constexpr std::uint8_t kMiddle = 128;

bool all_equal(const FileBytes& bytes, std::uint8_t value) {
    return std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t b) { return b == value; });
}

void check_refused(const FileBytes& file, ErrorCode code, const std::string& phrase) {
    const Result<DecodedImage> image = decode(file);
    INFO(phrase);
    REQUIRE_FALSE(image);
    INFO(image.error().message);
    CHECK(image.error().code == code);
    CHECK(image.error().message.find(phrase) != std::string::npos);
    CHECK(image.error().message.find('\n') == std::string::npos);
}

// Three components with the given sampling factors, and a scan of all.
JpegParts three_components(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t size) {
    JpegParts parts;
    parts.frame = segment(0xC0, {8, 0, size, 0, size, 3, 1, a, 0, 2, b, 0, 3, c, 0});
    parts.scan = segment(0xDA, {3, 1, 0, 2, 0, 3, 0, 0, 63, 0});
    parts.data = FileBytes(64, 0);
    return parts;
}

TEST_CASE("JPEG: one gray block", "[image_file]") {
    const Result<DecodedImage> image = decode(JpegParts().bytes());
    REQUIRE(image);
    CHECK(image.value().view().width == 8);
    CHECK(image.value().view().height == 8);
    CHECK(all_equal(pixels_of(image.value()), kMiddle));
}

TEST_CASE("JPEG: what is unusual and right", "[image_file]") {
    const std::pair<const char*, std::function<void(JpegParts&)>> cases[] = {
        {"no end marker", [](JpegParts& p) { p.end.clear(); }},
        {"half an end marker", [](JpegParts& p) { p.end = {0xFF}; }},
        {"anything behind the end", [](JpegParts& p) { append(p.end, FileBytes(999, 0xDA)); }},
        {"zeros and fill bytes behind the data",
         [](JpegParts& p) {
             append(p.data, {0, 0, 0, 0xFF, 0xFF});
         }},
        {"fill bytes before a marker",
         [](JpegParts& p) {
             p.start = {0xFF, 0xD8, 0xFF, 0xFF, 0xFF};
         }},
        {"bytes between segments",
         [](JpegParts& p) {
             append(p.quantization, {1, 2, 0xFF, 0, 3});
         }},
        {"an empty comment", [](JpegParts& p) { p.application = segment(0xFE, {}); }},
        {"a comment with markers",
         [](JpegParts& p) {
             p.application = segment(0xFE, {0xFF, 0xD9, 0xFF, 0xDA});
         }},
        {"a scan header with nonsense for progressive files",
         [](JpegParts& p) {
             p.scan = segment(0xDA, {1, 1, 0, 0, 0, 0});
         }},
        {"a table of 16 bits",
         [](JpegParts& p) {
             FileBytes table(129, 1);
             table[0] = 0x10;
             p.quantization = segment(0xDB, table);
         }},
        {"a sampling factor that means nothing in gray",
         [](JpegParts& p) {
             p.frame = segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x42, 0});
         }},
        {"a restart interval longer than the picture",
         [](JpegParts& p) {
             p.restart = segment(0xDD, {0, 9});
         }},
        {"the height again",
         [](JpegParts& p) {
             p.more = segment(0xDC, {0, 8});
         }},
    };
    for (const auto& [what, change] : cases) {
        INFO(what);
        JpegParts parts;
        change(parts);
        const Result<DecodedImage> image = decode(parts.bytes());
        if (!image) FAIL(image.error().message);
        CHECK(all_equal(pixels_of(image.value()), kMiddle));
    }
}

TEST_CASE("JPEG: what is damaged", "[image_file]") {
    const auto codes = [](std::uint8_t kind, std::initializer_list<std::uint8_t> counts,
                          std::size_t symbols) {
        FileBytes table(17 + symbols, 0);
        table[0] = kind;
        std::copy(counts.begin(), counts.end(), table.begin() + 1);
        return segment(0xC4, table);
    };
    const std::tuple<const char*, const char*, std::function<void(JpegParts&)>> cases[] = {
        {"no picture", "ends before its picture",
         [](JpegParts& p) {
             p.frame.clear();
             p.scan.clear();
             p.data.clear();
         }},
        {"no scan", "no scan",
         [](JpegParts& p) {
             p.scan.clear();
             p.data.clear();
         }},
        {"a scan without data", "ends before its last", [](JpegParts& p) { p.data.clear(); }},
        {"a scan before the frame", "before its frame", [](JpegParts& p) { p.frame.clear(); }},
        {"two frames", "second frame", [](JpegParts& p) { append(p.frame, p.frame); }},
        {"two starts", "second start", [](JpegParts& p) { append(p.start, p.start); }},
        {"no table", "quantization table is missing", [](JpegParts& p) { p.quantization.clear(); }},
        {"a table cut short", "quantization table does not fit",
         [](JpegParts& p) { p.quantization = segment(0xDB, FileBytes(64, 0)); }},
        {"a table of 32 bits", "quantization table that cannot be",
         [](JpegParts& p) { p.quantization = segment(0xDB, FileBytes(257, 0x20)); }},
        {"a table in a fifth place", "quantization table that cannot be",
         [](JpegParts& p) { p.quantization = segment(0xDB, FileBytes(65, 4)); }},
        {"no codes for AC where the scan looks", "Huffman table is missing",
         [](JpegParts& p) {
             p.scan = segment(0xDA, {1, 1, 0x02, 0, 63, 0});
         }},
        {"no codes for DC where the scan looks", "Huffman table is missing",
         [](JpegParts& p) {
             p.scan = segment(0xDA, {1, 1, 0x20, 0, 63, 0});
         }},
        {"three codes of one bit", "more codes than there are",
         [&](JpegParts& p) { append(p.codes, codes(0x11, {3}, 3)); }},
        {"five codes of two bits beside one of one", "more codes than there are",
         [&](JpegParts& p) {
             append(p.codes, codes(0x01, {1, 3}, 4));
         }},
        {"more codes than symbols", "Huffman table does not fit",
         [&](JpegParts& p) {
             append(p.codes, codes(0x11, {0, 0, 0, 0, 0, 0, 0, 100}, 99));
         }},
        {"more than 256 codes", "Huffman table does not fit",
         [&](JpegParts& p) {
             append(p.codes, codes(0x11, {0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255}, 510));
         }},
        {"codes cut short", "Huffman table does not fit",
         [](JpegParts& p) { append(p.codes, segment(0xC4, FileBytes(16, 0))); }},
        {"codes of a third kind", "Huffman table that cannot be",
         [&](JpegParts& p) { append(p.codes, codes(0x20, {}, 0)); }},
        {"a DC difference of 16 bits", "symbols that cannot be",
         [](JpegParts& p) { append(p.codes, segment(0xC4, JpegParts::codes_of_one(1, 16))); }},
        {"width 0", "size of 0x8",
         [](JpegParts& p) {
             p.frame = segment(0xC0, {8, 0, 8, 0, 0, 1, 1, 0x11, 0});
         }},
        {"height 0", "size of 8x0",
         [](JpegParts& p) {
             p.frame = segment(0xC0, {8, 0, 0, 0, 8, 1, 1, 0x11, 0});
         }},
        {"sampling factor 0", "sampling factors",
         [](JpegParts& p) {
             p.frame = segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x10, 0});
         }},
        {"sampling factor 5", "sampling factors",
         [](JpegParts& p) {
             p.frame = segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x51, 0});
         }},
        {"components that are not in the segment", "list of components",
         [](JpegParts& p) {
             p.frame = segment(0xC0, {8, 0, 8, 0, 8, 3, 1, 0x11, 0});
         }},
        {"a frame of two bytes", "frame header",
         [](JpegParts& p) {
             p.frame = segment(0xC0, {8, 0});
         }},
        {"a scan of another component", "component that is not there",
         [](JpegParts& p) {
             p.scan = segment(0xDA, {1, 2, 0, 0, 63, 0});
         }},
        {"a scan of no component", "scan header",
         [](JpegParts& p) {
             p.scan = segment(0xDA, {0, 0, 63, 0});
         }},
        {"a scan of five components", "scan header",
         [](JpegParts& p) {
             p.scan = segment(0xDA, {5, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 63, 0});
         }},
        {"a scan with codes in a fifth place", "Huffman table that cannot be",
         [](JpegParts& p) {
             p.scan = segment(0xDA, {1, 1, 0x40, 0, 63, 0});
         }},
        {"the same scan twice", "twice or out of order",
         [](JpegParts& p) {
             p.more = p.scan;
             append(p.more, p.data);
         }},
        {"data that is no code", "no Huffman code", [](JpegParts& p) { p.data = {0x80}; }},
        {"a segment of one byte", "less than 2 bytes",
         [](JpegParts& p) {
             p.application = {0xFF, 0xE0, 0, 1};
         }},
        {"a segment behind the end of the file", "ends in the segment",
         [](JpegParts& p) {
             p.more = {0xFF, 0xE0, 0xFF, 0xFF, 0};
         }},
        {"a segment's length cut", "ends in the segment",
         [](JpegParts& p) {
             p.more = {0xFF, 0xFE, 0};
             p.end.clear();
         }},
        {"a reserved marker", "marker that cannot be",
         [](JpegParts& p) { p.application = segment(0x02, {}); }},
        {"too many segments", "segments",
         [](JpegParts& p) {
             for (int i = 0; i < 5000; ++i) append(p.application, segment(0xFE, {}));
         }},
    };
    for (const auto& [what, phrase, change] : cases) {
        INFO(what);
        JpegParts parts;
        change(parts);
        check_refused(parts.bytes(), ErrorCode::malformed, phrase);
    }
}

TEST_CASE("JPEG: forms that are not read say so", "[image_file]") {
    const auto frame = [](std::uint8_t marker, FileBytes data) {
        JpegParts parts;
        parts.frame = segment(marker, data);
        return parts.bytes();
    };
    const FileBytes gray = {8, 0, 8, 0, 8, 1, 1, 0x11, 0};
    check_refused(frame(0xC9, gray), ErrorCode::unsupported, "arithmetic");
    check_refused(frame(0xCA, gray), ErrorCode::unsupported, "arithmetic");
    check_refused(frame(0xC3, gray), ErrorCode::unsupported, "lossless");
    check_refused(frame(0xC5, gray), ErrorCode::unsupported, "hierarchical");
    check_refused(frame(0xC1, {12, 0, 8, 0, 8, 1, 1, 0x11, 0}), ErrorCode::unsupported, "12 bits");
    check_refused(frame(0xC0, {8, 0, 8, 0, 8, 2, 1, 0x11, 0, 2, 0x11, 0}), ErrorCode::unsupported,
                  "2 color components");
    check_refused(three_components(0x31, 0x21, 0x11, 48).bytes(), ErrorCode::unsupported,
                  "sampling factors");
}

TEST_CASE("JPEG: an MCU of more than ten blocks", "[image_file]") {
    check_refused(three_components(0x42, 0x22, 0x11, 8).bytes(), ErrorCode::malformed, "10 blocks");
}

TEST_CASE("JPEG: components of one name follow in order", "[image_file]") {
    JpegParts parts = three_components(0x11, 0x11, 0x11, 8);
    parts.frame = segment(0xC0, {8, 0, 8, 0, 8, 3, 1, 0x11, 0, 1, 0x11, 0, 1, 0x11, 0});
    parts.scan = segment(0xDA, {3, 1, 0, 1, 0, 1, 0, 0, 63, 0});
    REQUIRE(decode(parts.bytes()));
}

TEST_CASE("JPEG: restart markers have to be where they belong", "[image_file]") {
    JpegParts parts;  // eleven blocks, a marker behind each
    parts.frame = segment(0xC0, {8, 0, 8, 0, 88, 1, 1, 0x11, 0});
    parts.restart = segment(0xDD, {0, 1});
    const auto data = [](std::initializer_list<int> numbers) {
        FileBytes bytes = {0x3F};
        for (const int number : numbers) {
            append(bytes, {0xFF, static_cast<std::uint8_t>(0xD0 + number), 0x3F});
        }
        return bytes;
    };
    const auto with = [&](const FileBytes& bytes) {
        parts.data = bytes;
        return parts.bytes();
    };
    REQUIRE(decode(with(data({0, 1, 2, 3, 4, 5, 6, 7, 0, 1}))));
    const FileBytes one_too_many = data({0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2});
    REQUIRE(decode(with(one_too_many)));
    const std::string missing = "restart marker is missing";
    check_refused(with(data({0, 1, 2, 3, 4, 5, 6, 7, 0})), ErrorCode::malformed, missing);
    check_refused(with(data({0, 1, 2, 3, 4, 5, 6, 0, 1, 2})), ErrorCode::malformed, missing);
    check_refused(with(data({1, 2, 3, 4, 5, 6, 7, 0, 1, 2})), ErrorCode::malformed, missing);
    FileBytes empty_piece = data({0, 1, 2, 3, 4, 5, 6, 7, 0, 1});
    empty_piece.erase(empty_piece.begin() + 3);
    check_refused(with(empty_piece), ErrorCode::malformed, "the data ends early");
    parts.restart.clear();  // then the first marker ends the scan
    check_refused(with(data({0, 1, 2, 3, 4, 5, 6, 7, 0, 1})), ErrorCode::malformed, "missing");
}

// Scans of a progressive gray picture of one block: DC, then AC, then what refines both.
TEST_CASE("JPEG: progressive scans send everything, once and in order", "[image_file]") {
    const auto scan = [](int first, int last, int high, int low) {
        FileBytes bytes = segment(
            0xDA, {1, 1, 0, static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last),
                   static_cast<std::uint8_t>(high << 4 | low)});
        append(bytes, {0x3F});
        return bytes;
    };
    const auto file = [&](std::initializer_list<std::array<int, 4>> scans) {
        JpegParts parts;
        parts.frame = segment(0xC2, {8, 0, 8, 0, 8, 1, 1, 0x11, 0});
        parts.scan.clear();
        parts.data.clear();
        for (const auto& s : scans) append(parts.scan, scan(s[0], s[1], s[2], s[3]));
        return parts.bytes();
    };
    const Result<DecodedImage> complete = decode(file({{0, 0, 0, 0}, {1, 63, 0, 0}}));
    REQUIRE(complete);
    CHECK(all_equal(pixels_of(complete.value()), kMiddle));
    REQUIRE(decode(file({{0, 0, 0, 0}, {1, 5, 0, 0}, {6, 63, 0, 0}})));
    REQUIRE(decode(file({{0, 0, 0, 1}, {1, 63, 0, 1}, {1, 63, 1, 0}, {0, 0, 1, 0}})));

    check_refused(file({{0, 0, 0, 0}}), ErrorCode::malformed, "scans are missing");
    check_refused(file({{0, 0, 0, 0}, {1, 62, 0, 0}}), ErrorCode::malformed, "scans are missing");
    check_refused(file({{0, 0, 0, 1}, {1, 63, 0, 0}}), ErrorCode::malformed, "scans are missing");
    check_refused(file({{1, 63, 0, 0}, {0, 0, 0, 0}}), ErrorCode::malformed,
                  "before the one of DC");
    check_refused(file({{0, 0, 0, 0}, {0, 0, 0, 0}}), ErrorCode::malformed, "out of order");
    check_refused(file({{0, 0, 0, 2}, {0, 0, 1, 0}}), ErrorCode::malformed, "out of order");
    check_refused(file({{0, 63, 0, 0}}), ErrorCode::malformed, "progressive scan that cannot be");
    check_refused(file({{0, 0, 0, 14}}), ErrorCode::malformed, "progressive scan that cannot be");
    check_refused(file({{5, 4, 0, 0}}), ErrorCode::malformed, "progressive scan that cannot be");
    check_refused(file({{1, 64, 0, 0}}), ErrorCode::malformed, "progressive scan that cannot be");
    check_refused(file({{0, 0, 3, 1}}), ErrorCode::malformed, "progressive scan that cannot be");
}

TEST_CASE("JPEG: a small file asks for little", "[image_file]") {
    for (const std::uint8_t marker : {std::uint8_t{0xC0}, std::uint8_t{0xC2}}) {
        JpegParts parts;
        parts.frame = segment(marker, {8, 0x20, 0, 0x20, 0, 1, 1, 0x11, 0});  // 8192x8192
        if (marker == 0xC2) parts.scan = segment(0xDA, {1, 1, 0, 0, 0, 0});
        check_refused(parts.bytes(), ErrorCode::malformed, "ends before its last one");
    }
}

TEST_CASE("JPEG: more scans than anybody needs", "[image_file]") {
    JpegParts parts;
    for (int i = 0; i < 300; ++i) {
        append(parts.more, segment(0xDA, {1, 1, 0, 0, 0, 0}));
        append(parts.more, {0x3F});
    }
    parts.frame = segment(0xC2, {8, 0, 8, 0, 8, 1, 1, 0x11, 0});
    CHECK_FALSE(decode(parts.bytes()));
}

TEST_CASE("JPEG: more blocks in all scans than anybody needs", "[image_file]") {
    // 4096x4096 in 128 scans: DC, and two bits of each other coefficient, each in a scan of its
    // own.
    JpegParts parts;
    parts.frame = segment(0xC2, {8, 0x10, 0, 0x10, 0, 1, 1, 0x11, 0});
    parts.scan = segment(0xDA, {1, 1, 0, 0, 0, 1});
    parts.data = FileBytes(512 * 512 / 8 + 512, 0);
    append(parts.more, segment(0xDA, {1, 1, 0, 0, 0, 0x10}));
    append(parts.more, parts.data);
    for (std::uint8_t k = 1; k < 64; ++k) {
        for (const std::uint8_t bits : {std::uint8_t{0x01}, std::uint8_t{0x10}}) {
            append(parts.more, segment(0xDA, {1, 1, 0, k, k, bits}));
            parts.more.push_back(0);
        }
    }
    const std::string phrase = "blocks in all scans";
    // 128 scans are right at the limit, whatever else is wrong with them.
    CHECK(decode(parts.bytes()).error().message.find(phrase) == std::string::npos);
    parts.frame = segment(0xC2, {8, 0x0F, 0xF8, 0x10, 0x11, 1, 1, 0x11, 0});  // 4113x4088
    check_refused(parts.bytes(), ErrorCode::malformed, phrase);
}

TEST_CASE("JPEG: the limit on memory", "[image_file]") {
    JpegParts parts;
    parts.frame = segment(0xC0, {8, 0x02, 0, 0x02, 0, 1, 1, 0x11, 0});  // 512x512
    parts.data = FileBytes(1024, 0);
    ImageLimits limits;
    REQUIRE(decode(parts.bytes(), limits));
    limits.max_bytes = std::size_t{4} * 512 * 512;
    REQUIRE(decode(parts.bytes(), limits));
    limits.max_bytes -= 1;
    const Result<DecodedImage> image = decode(parts.bytes(), limits);
    REQUIRE_FALSE(image);
    CHECK(image.error().code == ErrorCode::out_of_memory);
    CHECK(image.error().message.find("512x512 pixels takes 1 MiB") != std::string::npos);
}

// --- Real pictures, damaged ---

std::vector<std::string> sample_files(const std::string& extension) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(test::tests_path("samples"))) {
        if (entry.path().extension() == extension) files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

TEST_CASE("JPEG: a picture that is cut off anywhere is damaged", "[image_file]") {
    std::size_t cuts = 0;
    for (const std::string& path : sample_files(".jpg")) {
        INFO(path);
        const FileBytes whole = read_bytes(path);
        const Result<DecodedImage> image = decode(whole);
        REQUIRE(image);
        // Only the end marker may be missing.
        for (const std::size_t left : {whole.size() - 1, whole.size() - 2}) {
            const Result<DecodedImage> cut =
                decode(FileBytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(left)));
            REQUIRE(cut);
            CHECK(pixels_of(cut.value()) == pixels_of(image.value()));
        }
        for (std::size_t left = 0; left + 2 < whole.size(); left += 1 + whole.size() / 500) {
            FileBytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(left));
            CHECK_FALSE(decode(cut));
            append(cut, {0xFF, 0xD9});
            CHECK_FALSE(decode(cut));
            ++cuts;
        }
    }
    CHECK(cuts > 1000);
}

TEST_CASE("JPEG: a picture never depends on the one before", "[image_file]") {
    const std::vector<std::string> files = sample_files(".jpg");
    REQUIRE(files.size() >= 2);
    const FileBytes first = read_bytes(files[0]);
    const FileBytes second = read_bytes(files[1]);
    const FileBytes expected = pixels_of(decode(second).value());
    for (int i = 0; i < 3; ++i) {
        REQUIRE(decode(first));
        CHECK(pixels_of(decode(second).value()) == expected);
    }
}

}  // namespace
}  // namespace lprnet
