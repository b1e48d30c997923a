// BMP files that are damaged, hostile or unusual. That pixels are those of OpenCV is tested on
// golden pictures.
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include "tests/catch.h"

#include "tests/image_file/picture_bytes.h"

namespace lprnet {
namespace {

// Black, white and red, as a BMP has them: blue, green, red, nothing.
const FileBytes kThreeColors = {0, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 0};

TEST_CASE("BMP: two pixels, from the bottom up and from the top down", "[image_file]") {
    BmpParts parts;
    CHECK(pixels_of(decode(parts.bytes()).value()) == FileBytes{3, 2, 1, 6, 5, 4});
    parts.width = 1;
    parts.height = 2;
    parts.pixels = {1, 2, 3, 0, 4, 5, 6, 0};
    CHECK(pixels_of(decode(parts.bytes()).value()) == FileBytes{6, 5, 4, 3, 2, 1});
    parts.height = -2;
    CHECK(pixels_of(decode(parts.bytes()).value()) == FileBytes{3, 2, 1, 6, 5, 4});
}

TEST_CASE("BMP: an index past the palette is black", "[image_file]") {
    BmpParts parts;
    parts.bits = 8;
    parts.used = 3;
    parts.palette = kThreeColors;
    parts.width = 3;
    parts.pixels = {1, 2, 200, 0};
    CHECK(pixels_of(decode(parts.bytes()).value()) == FileBytes{255, 255, 255, 255, 0, 0, 0, 0, 0});
}

TEST_CASE("BMP: runs", "[image_file]") {
    BmpParts parts;
    parts.bits = 8;
    parts.compression = 1;
    parts.used = 3;
    parts.palette = kThreeColors;
    parts.width = 4;
    parts.height = 1;
    const FileBytes w(3, 255), k(3, 0), r = {255, 0, 0};
    const auto row = [](std::initializer_list<FileBytes> pixels) {
        FileBytes all;
        for (const FileBytes& pixel : pixels) append(all, pixel);
        return all;
    };
    const auto decoded = [&](const FileBytes& runs) {
        parts.pixels = runs;
        const Result<DecodedImage> image = decode(parts.bytes());
        if (!image) FAIL(image.error().message);
        return pixels_of(image.value());
    };
    CHECK(decoded({4, 1, 0, 1}) == row({w, w, w, w}));
    CHECK(decoded({1, 2, 0, 3, 1, 2, 0, 0, 0, 1}) == row({r, w, r, k}));
    CHECK(decoded({0, 2, 2, 0, 2, 2, 0, 1}) == row({k, k, r, r}));
    CHECK(decoded({2, 1, 0, 1}) == row({w, w, k, k}));
    CHECK(decoded({0, 0}) == row({k, k, k, k}));
    parts.compression = 2;
    parts.bits = 4;
    CHECK(decoded({3, 0x12, 0, 1}) == row({w, r, w, k}));
    CHECK(decoded({0, 3, 0x21, 0x20, 0, 1}) == row({r, w, r, k}));
}

TEST_CASE("BMP: what is damaged", "[image_file]") {
    const auto runs = [](BmpParts& p, const FileBytes& bytes) {
        p.bits = 8;
        p.compression = 1;
        p.used = 3;
        p.palette = kThreeColors;
        p.width = 4;
        p.pixels = bytes;
    };
    const std::tuple<const char*, const char*, std::function<void(BmpParts&)>> cases[] = {
        {"a byte is missing", "before its last pixel", [](BmpParts& p) { p.pixels.pop_back(); }},
        {"no pixels", "before its last pixel", [](BmpParts& p) { p.pixels.clear(); }},
        {"width 0", "size of 0x1", [](BmpParts& p) { p.width = 0; }},
        {"a width below 0", "size of -5x1", [](BmpParts& p) { p.width = -5; }},
        {"height 0", "size of 2x0", [](BmpParts& p) { p.height = 0; }},
        {"the least height", "size of",
         [](BmpParts& p) { p.height = std::numeric_limits<std::int32_t>::min(); }},
        {"the largest sizes", "pixels",
         [](BmpParts& p) { p.width = p.height = std::numeric_limits<std::int32_t>::max(); }},
        {"a large picture in a small file", "before its last pixel",
         [](BmpParts& p) { p.width = p.height = 5000; }},
        {"5 bits", "5 bits", [](BmpParts& p) { p.bits = 5; }},
        {"a JPEG inside", "compression 4", [](BmpParts& p) { p.compression = 4; }},
        {"runs of 24 bits", "compression 1", [](BmpParts& p) { p.compression = 1; }},
        {"a palette behind the end", "ends in its palette",
         [](BmpParts& p) {
             p.bits = 8;
             p.pixels.clear();
         }},
        {"a palette of 2^32 - 1 colors", "palette of",
         [](BmpParts& p) {
             p.bits = 8;
             p.used = 0xFFFFFFFF;
         }},
        {"masks of 4 bits", "masks",
         [](BmpParts& p) {
             p.bits = 16;
             p.compression = 3;
             p.palette = {0, 0x0F, 0, 0, 0xF0, 0, 0, 0, 0x0F, 0, 0, 0};
         }},
        {"a run that leaves the row", "leaves the picture",
         [&](BmpParts& p) {
             runs(p, {5, 1, 0, 1});
         }},
        {"pixels one by one that leave the row", "leaves the picture",
         [&](BmpParts& p) {
             runs(p, {0, 5, 1, 1, 1, 1, 1, 1});
         }},
        {"a move out of the picture", "leaves the picture",
         [&](BmpParts& p) {
             runs(p, {0, 2, 0, 9, 0, 1});
         }},
        {"runs without an end", "before its last pixel",
         [&](BmpParts& p) {
             runs(p, {2, 1});
         }},
        {"a large picture of runs that paint nothing", "before its last pixel",
         [&](BmpParts& p) {
             runs(p, {0, 1});
             p.width = p.height = 8192;
         }},
        {"a wide picture of a row that is skipped", "before its last pixel",
         [&](BmpParts& p) {
             runs(p, {0, 0});
             p.width = 30000;
         }},
        {"half a run", "before its last pixel", [&](BmpParts& p) { runs(p, {2}); }},
        {"half a move", "before its last pixel",
         [&](BmpParts& p) {
             runs(p, {0, 2, 1});
         }},
        {"pixels one by one behind the end", "before its last pixel",
         [&](BmpParts& p) {
             runs(p, {0, 4, 1, 1});
         }},
    };
    for (const auto& [what, phrase, change] : cases) {
        INFO(what);
        BmpParts parts;
        change(parts);
        const Result<DecodedImage> image = decode(parts.bytes());
        REQUIRE_FALSE(image);
        INFO(image.error().message);
        CHECK(image.error().message.find(phrase) != std::string::npos);
    }
}

TEST_CASE("BMP: headers cut anywhere", "[image_file]") {
    const FileBytes whole = BmpParts().bytes();
    for (std::size_t left = 0; left < whole.size(); ++left) {
        CHECK_FALSE(
            decode(FileBytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(left))));
    }
}

TEST_CASE("what is no picture at all", "[image_file]") {
    for (const FileBytes& file : {FileBytes{}, FileBytes{0xFF}, FileBytes{0xFF, 0xD8},
                                  text_bytes("GIF89a"), text_bytes("B"), FileBytes(5000, 0)}) {
        const Result<DecodedImage> image = decode(file);
        REQUIRE_FALSE(image);
        CHECK(image.error().message == "not a JPEG, PNG or BMP image");
    }
}

}  // namespace
}  // namespace lprnet
