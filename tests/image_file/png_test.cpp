// PNG files that are damaged, hostile or unusual. That pixels are those of OpenCV is tested on
// golden pictures.
#include <algorithm>
#include <functional>
#include <string>
#include <tuple>
#include "tests/catch.h"

#include "tests/image_file/picture_bytes.h"

namespace lprnet {
namespace {

void check_refused(const FileBytes& file, const std::string& phrase) {
    const Result<DecodedImage> image = decode(file);
    REQUIRE_FALSE(image);
    INFO(image.error().message);
    CHECK(image.error().message.find(phrase) != std::string::npos);
    CHECK(image.error().message.find_first_of("\n\x1b") == std::string::npos);
}

TEST_CASE("CRC-32: the check values of its standard", "[image_file]") {
    CHECK(crc32(as_span(text_bytes("123456789"))) == 0xCBF43926);
    CHECK(crc32({}) == 0);
    CHECK(crc32(as_span(text_bytes("IEND"))) == 0xAE426082);
}

TEST_CASE("PNG: two pixels", "[image_file]") {
    const Result<DecodedImage> image = decode(PngParts().bytes());
    if (!image) FAIL(image.error().message);
    CHECK(pixels_of(image.value()) == FileBytes{10, 20, 30, 40, 50, 60});
}

TEST_CASE("PNG: an index past the palette is black, whatever was read before", "[image_file]") {
    PngParts parts;
    parts.color = 3;
    parts.width = 4;
    parts.rows = {0, 0, 1, 2, 255};
    parts.before = chunk("PLTE", {7, 8, 9, 250, 251, 252});
    for (int i = 0; i < 3; ++i) {
        const Result<DecodedImage> image = decode(parts.bytes());
        REQUIRE(image);
        CHECK(pixels_of(image.value()) == FileBytes{7, 8, 9, 250, 251, 252, 0, 0, 0, 0, 0, 0});
        REQUIRE(decode(PngParts().bytes()));
    }
    parts.depth = 2;
    parts.rows = {0, 0b00011011};
    const Result<DecodedImage> image = decode(parts.bytes());
    REQUIRE(image);
    CHECK(pixels_of(image.value()) == FileBytes{7, 8, 9, 250, 251, 252, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("PNG: transparency is dropped, never mixed", "[image_file]") {
    PngParts key;
    key.before = chunk("tRNS", {0, 10, 0, 20, 0, 30});
    CHECK(pixels_of(decode(key.bytes()).value()) == FileBytes{10, 20, 30, 40, 50, 60});
    PngParts alpha;
    alpha.color = 6;
    alpha.rows = {0, 10, 20, 30, 0, 40, 50, 60, 128};
    CHECK(pixels_of(decode(alpha.bytes()).value()) == FileBytes{10, 20, 30, 40, 50, 60});
}

TEST_CASE("PNG: what is unusual and right", "[image_file]") {
    const std::pair<const char*, std::function<void(PngParts&)>> cases[] = {
        {"anything behind the end", [](PngParts& p) { append(p.end, FileBytes(99, 'x')); }},
        {"a damaged chunk that nobody needs",
         [](PngParts& p) {
             p.before = chunk("tEXt", {1, 2, 3});
             p.before.back() ^= 1;
         }},
        {"an unknown chunk that nobody needs", [](PngParts& p) { p.after = chunk("zzZz", {}); }},
        {"a palette beside colors",
         [](PngParts& p) {
             p.before = chunk("PLTE", {1, 2, 3});
         }},
        {"an empty piece of pixels", [](PngParts& p) { p.before = chunk("IDAT", {}); }},
    };
    for (const auto& [what, change] : cases) {
        INFO(what);
        PngParts parts;
        change(parts);
        const Result<DecodedImage> image = decode(parts.bytes());
        if (!image) FAIL(image.error().message);
        CHECK(pixels_of(image.value()) == FileBytes{10, 20, 30, 40, 50, 60});
    }
}

TEST_CASE("PNG: what is damaged", "[image_file]") {
    const std::tuple<const char*, const char*, std::function<void(PngParts&)>> cases[] = {
        {"no end", "before its last chunk", [](PngParts& p) { p.end.clear(); }},
        {"an end cut off", "before its last chunk", [](PngParts& p) { p.end.pop_back(); }},
        {"pixels cut short", "damaged image", [](PngParts& p) { p.rows.pop_back(); }},
        {"no pixels", "damaged image", [](PngParts& p) { p.rows.clear(); }},
        {"a filter that is none", "filter", [](PngParts& p) { p.rows[0] = 5; }},
        {"width 0", "size of 0x1", [](PngParts& p) { p.width = 0; }},
        {"height 0", "size of 2x0", [](PngParts& p) { p.height = 0; }},
        {"a size of 2^32 - 1", "size of", [](PngParts& p) { p.width = 0xFFFFFFFF; }},
        {"a size of 2^31 - 1 both ways", "pixels, expected at most 536870911",
         [](PngParts& p) { p.width = p.height = 0x7FFFFFFF; }},
        {"a picture far larger than the file", "damaged image",
         [](PngParts& p) { p.width = p.height = 2000; }},
        {"3 bits", "header that cannot be", [](PngParts& p) { p.depth = 3; }},
        {"color 5", "header that cannot be", [](PngParts& p) { p.color = 5; }},
        {"16 bits in a palette", "header that cannot be",
         [](PngParts& p) {
             p.color = 3;
             p.depth = 16;
         }},
        {"interlacing of another kind", "header that cannot be",
         [](PngParts& p) { p.interlace = 2; }},
        {"no palette", "no palette",
         [](PngParts& p) {
             p.color = 3;
             p.rows = {0, 0, 0};
         }},
        {"a palette of no colors", "palette of the wrong length",
         [](PngParts& p) {
             p.color = 3;
             p.before = chunk("PLTE", {});
         }},
        {"a palette of half a color", "palette of the wrong length",
         [](PngParts& p) {
             p.color = 3;
             p.before = chunk("PLTE", {1, 2, 3, 4});
         }},
        {"a palette of 257 colors", "palette of the wrong length",
         [](PngParts& p) {
             p.color = 3;
             p.before = chunk("PLTE", FileBytes(771, 0));
         }},
        {"a second header", "second header", [](PngParts& p) { p.before = p.header(); }},
        {"pixels apart", "apart",
         [](PngParts& p) {
             p.after = chunk("tEXt", {});
             append(p.after, chunk("IDAT", {}));
         }},
        {"an unknown chunk that matters", "cannot be",
         [](PngParts& p) { p.before = chunk("ZZZZ", {}); }},
        {"a chunk named with escape codes", "without a name",
         [](PngParts& p) { p.before = chunk("\x1b[2J", {}); }},
        {"a chunk before the header", "before the header",
         [](PngParts& p) { append(p.signature, chunk("CgBI", {0})); }},
        {"a chunk longer than the file", "ends in the chunk",
         [](PngParts& p) { p.before = {0x7F, 0xFF, 0xFF, 0xFF, 't', 'E', 'X', 't', 1, 2, 3, 4}; }},
        {"a chunk of 2^32 - 1 bytes", "ends in the chunk",
         [](PngParts& p) { p.before = {0xFF, 0xFF, 0xFF, 0xFF, 't', 'E', 'X', 't', 1, 2, 3, 4}; }},
    };
    for (const auto& [what, phrase, change] : cases) {
        INFO(what);
        PngParts parts;
        change(parts);
        check_refused(parts.bytes(), phrase);
    }
}

TEST_CASE("PNG: pixels cut anywhere, in pictures smaller than a byte too", "[image_file]") {
    for (const std::uint8_t depth : {1, 8}) {
        PngParts parts;
        parts.color = 0;
        parts.depth = depth;
        parts.rows = depth == 1 ? FileBytes{0, 0b10000000} : FileBytes{0, 255, 0};
        const FileBytes stream = stored_zlib(parts.rows);
        constexpr std::size_t kAdler = 4;  // that the pixels do without
        for (std::size_t length = 0; length < stream.size() - kAdler; ++length) {
            INFO(int{depth} << " bits, " << length << " bytes");
            const FileBytes start(stream.begin(), stream.begin() + static_cast<long>(length));
            FileBytes file = parts.signature;
            append(file, parts.header());
            FileBytes pieces = file;
            append(file, chunk("IDAT", start));
            append(file, parts.end);
            check_refused(file, "damaged image");
            for (int i = 0; i < 3; ++i) append(pieces, chunk("IDAT", {}));
            append(pieces, chunk("IDAT", start));
            append(pieces, parts.end);
            check_refused(pieces, "damaged image");
        }
    }
}

TEST_CASE("PNG: every bit of what matters is checked", "[image_file]") {
    const FileBytes whole = PngParts().bytes();
    for (std::size_t i = 0; i + 4 < whole.size(); ++i) {  // but for the end's check sum
        for (int bit = 0; bit < 8; ++bit) {
            FileBytes changed = whole;
            changed[i] ^= static_cast<std::uint8_t>(1 << bit);
            INFO("byte " << i << ", bit " << bit);
            CHECK_FALSE(decode(changed));
        }
    }
}

TEST_CASE("PNG: pixels that inflate to far more than the picture", "[image_file]") {
    PngParts parts;
    parts.rows.resize(std::size_t{40} << 20, 0);
    check_refused(parts.bytes(), "inflate to more than the picture has");
}

TEST_CASE("PNG: the limit on memory", "[image_file]") {
    PngParts parts;
    parts.width = parts.height = 700;
    parts.rows = FileBytes(700 * 2101, 0);
    ImageLimits limits;
    limits.max_bytes = std::size_t{8} << 20;
    REQUIRE(decode(parts.bytes(), limits));
    limits.max_bytes = std::size_t{1} << 20;
    const Result<DecodedImage> image = decode(parts.bytes(), limits);
    REQUIRE_FALSE(image);
    CHECK(image.error().code == ErrorCode::out_of_memory);
    CHECK(image.error().message.find("expected at most 1 MiB") != std::string::npos);
}

}  // namespace
}  // namespace lprnet
