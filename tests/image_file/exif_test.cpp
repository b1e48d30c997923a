// The orientation in a picture file, and turning by it.
#include "engine/image_file/exif.h"

#include <array>
#include <optional>
#include <utility>
#include "tests/catch.h"

#include "tests/image_file/picture_bytes.h"

namespace lprnet {
namespace {

// A TIFF structure of one directory; each entry is 12 bytes.
FileBytes tiff(const std::vector<FileBytes>& entries, bool little = true, std::uint32_t at = 8) {
    const auto number = [&](std::uint32_t value, int count) {
        FileBytes bytes = little_endian(value, count);
        if (!little) std::reverse(bytes.begin(), bytes.end());
        return bytes;
    };
    FileBytes bytes = little ? text_bytes("II") : text_bytes("MM");
    append(bytes, number(42, 2));
    append(bytes, number(at, 4));
    bytes.resize(at);
    append(bytes, number(static_cast<std::uint32_t>(entries.size()), 2));
    for (const FileBytes& entry : entries) append(bytes, entry);
    return bytes;
}

FileBytes entry(std::uint32_t tag, std::uint32_t value, bool little = true) {
    FileBytes bytes;
    for (const auto& [number, count] :
         {std::pair{tag, 2}, std::pair{3U, 2}, std::pair{1U, 4}, std::pair{value, 2}}) {
        FileBytes part = little_endian(number, count);
        if (!little) std::reverse(part.begin(), part.end());
        append(bytes, part);
    }
    bytes.resize(12);
    return bytes;
}

constexpr std::uint32_t kTag = 0x0112;

std::optional<int> orientation_of(const FileBytes& bytes) {
    return exif_orientation(as_span(bytes));
}

TEST_CASE("orientation: in both byte orders, wherever it stands", "[image_file]") {
    for (const bool little : {true, false}) {
        for (int value = 1; value <= 8; ++value) {
            const FileBytes one = entry(kTag, static_cast<std::uint32_t>(value), little);
            const FileBytes other = entry(0x010F, 5, little);
            CHECK(orientation_of(tiff({one}, little)) == value);
            CHECK(orientation_of(tiff({other, one}, little)) == value);
            CHECK(orientation_of(tiff({one, entry(kTag, 4, little)}, little)) == value);
            CHECK(orientation_of(tiff({one}, little, 31)) == value);
        }
    }
}

TEST_CASE("orientation: none, or one that makes no sense", "[image_file]") {
    CHECK(orientation_of(tiff({})) == std::nullopt);
    CHECK(orientation_of(tiff({entry(0x0111, 6)})) == std::nullopt);
    CHECK(orientation_of(tiff({entry(kTag, 0)})) == 1);
    CHECK(orientation_of(tiff({entry(kTag, 9)})) == 1);
    CHECK(orientation_of(tiff({entry(kTag, 65535)})) == 1);
    CHECK(orientation_of({}) == std::nullopt);
    FileBytes whole = tiff({entry(kTag, 6)});
    constexpr std::size_t kValueEnds = 20;  // two bytes of the entry's four
    for (std::size_t left = 0; left < whole.size(); ++left) {
        const FileBytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(left));
        CHECK(orientation_of(part).value_or(0) == (left < kValueEnds ? 0 : 6));
    }
    for (const std::uint32_t at : {0U, 7U, 21U, 22U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
        FileBytes elsewhere = whole;
        const FileBytes bytes = little_endian(at, 4);
        std::copy(bytes.begin(), bytes.end(), elsewhere.begin() + 4);
        CHECK(orientation_of(elsewhere) == std::nullopt);
    }
    whole[2] = 43;
    CHECK(orientation_of(whole) == std::nullopt);
}

// OpenCV stops reading there, and networks are trained on what it makes of pictures.
TEST_CASE("orientation: not behind an entry whose text or numbers are not in the file",
          "[image_file]") {
    const auto elsewhere = [](std::uint32_t tag, std::uint32_t count, std::uint32_t at) {
        FileBytes bytes = little_endian(tag, 2);
        append(bytes, little_endian(2, 2));
        append(bytes, little_endian(count, 4));
        append(bytes, little_endian(at, 4));
        return bytes;
    };
    // Two entries end at byte 34.
    const std::pair<std::uint32_t, std::size_t> cases[] = {
        {0x010E, 10}, {0x010F, 10}, {0x0110, 10}, {0x0131, 10}, {0x0132, 10}, {0x8298, 10},
        {0x011A, 8},  {0x011B, 8},  {0x013E, 16}, {0x0211, 24}, {0x013F, 48}, {0x0214, 48}};
    for (const auto& [tag, size] : cases) {
        CAPTURE(tag);
        const FileBytes orientation = entry(kTag, 6);
        FileBytes bytes = tiff({elsewhere(tag, 10, 34), orientation});
        CHECK(orientation_of(bytes) == std::nullopt);
        bytes.resize(34 + size - 1);
        CHECK(orientation_of(bytes) == std::nullopt);
        bytes.resize(34 + size);
        CHECK(orientation_of(bytes) == 6);
        CHECK(orientation_of(tiff({orientation, elsewhere(tag, 10, 5000)})) == 6);
        CHECK(orientation_of(tiff({elsewhere(tag, 10, 0xFFFFFFFF), orientation})) == std::nullopt);
    }
    // A text of four bytes stands in its entry; other tags are passed over.
    CHECK(orientation_of(tiff({elsewhere(0x010F, 4, 5000), entry(kTag, 6)})) == 6);
    CHECK(orientation_of(tiff({elsewhere(0x8769, 1, 5000), entry(kTag, 6)})) == 6);
}

// Where the corners of the stored picture go (EXIF 2.32, figure of tag 0x0112): `expected` are the
// pixels of a picture stored as
//   1 2 3
//   4 5 6
TEST_CASE("orientation: every way to turn", "[image_file]") {
    const std::pair<int, std::array<int, 6>> cases[] = {
        {1, {1, 2, 3, 4, 5, 6}}, {2, {3, 2, 1, 6, 5, 4}}, {3, {6, 5, 4, 3, 2, 1}},
        {4, {4, 5, 6, 1, 2, 3}}, {5, {1, 4, 2, 5, 3, 6}}, {6, {4, 1, 5, 2, 6, 3}},
        {7, {6, 3, 5, 2, 4, 1}}, {8, {3, 6, 2, 5, 1, 4}},
    };
    for (const auto& [orientation, expected] : cases) {
        INFO(orientation);
        FileBytes stored;
        for (std::uint8_t i = 1; i <= 6; ++i) {
            append(stored,
                   {i, static_cast<std::uint8_t>(i + 100), static_cast<std::uint8_t>(i + 200)});
        }
        int width = 3, height = 2;
        const FileBytes turned = turn_upright(stored, width, height, orientation);
        CHECK(width == (orientation >= 5 ? 2 : 3));
        CHECK(height == (orientation >= 5 ? 3 : 2));
        REQUIRE(turned.size() == stored.size());
        for (std::size_t i = 0; i < 6; ++i) {
            CHECK(turned[3 * i] == expected[i]);
            CHECK(turned[3 * i + 1] == expected[i] + 100);
            CHECK(turned[3 * i + 2] == expected[i] + 200);
        }
    }
}

TEST_CASE("orientation: of a PNG and of a JPEG", "[image_file]") {
    PngParts png;
    png.before = chunk("eXIf", tiff({entry(kTag, 6)}));
    const Result<DecodedImage> turned = decode(png.bytes());
    REQUIRE(turned);
    CHECK(turned.value().view().width == 1);
    CHECK(turned.value().view().height == 2);

    const FileBytes exif = tiff({entry(kTag, 8)});
    FileBytes named = text_bytes(std::string_view("Exif\0\0", 6));
    append(named, exif);
    JpegParts jpeg;
    jpeg.frame = segment(0xC0, {8, 0, 8, 0, 16, 1, 1, 0x11, 0});  // 16x8
    jpeg.data = {0x0F};                                           // two blocks
    const auto width = [&] { return decode(jpeg.bytes()).value().view().width; };
    CHECK(width() == 16);
    jpeg.application = segment(0xE1, named);
    CHECK(width() == 8);
    // Without a directory it does not count, and the next one does.
    jpeg.application = segment(0xE1, text_bytes(std::string_view("Exif\0\0II", 8)));
    CHECK(width() == 16);
    append(jpeg.application, segment(0xE1, named));
    CHECK(width() == 8);
    jpeg.application = segment(0xE1, exif);  // without its name
    CHECK(width() == 16);
    jpeg.application.clear();
    jpeg.more = segment(0xE1, named);  // behind the pixels
    CHECK(width() == 16);
}

}  // namespace
}  // namespace lprnet
