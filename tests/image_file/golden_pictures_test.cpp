// Files of tests/golden/pictures against OpenCV's pixels of them, without OpenCV.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "engine/image_file/image_file.h"
#include "tests/catch.h"
#include "tests/paths.h"

namespace lprnet::test {
namespace {

struct Golden {
    std::string name;
    std::string words;  // of the error; empty for a picture that is read
    int width = 0, height = 0;
    std::uint64_t hash = 0;
};

std::string golden_path(const std::string& name) {
    return tests_path("golden/pictures/" + name);
}

std::vector<Golden> read_index() {
    std::ifstream file(golden_path("index.txt"));
    std::vector<Golden> all;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream fields(line);
        Golden golden;
        std::string second;
        fields >> golden.name >> second >> std::ws;
        if (second == "-") {
            std::getline(fields, golden.words);
        } else {
            golden.width = std::stoi(second);
            fields >> golden.height >> std::hex >> golden.hash;
        }
        CAPTURE(line);
        REQUIRE(fields);
        all.push_back(golden);
    }
    return all;
}

std::vector<std::byte> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.is_open());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    return {bytes, bytes + text.size()};
}

// 64-bit FNV-1a of the pixels.
std::uint64_t hash(const ImageView& view) {
    std::uint64_t value = 0xCBF29CE484222325U;
    for (int y = 0; y < view.height; ++y) {
        for (int x = 0; x < 3 * view.width; ++x) {
            value = (value ^ view.data[y * view.stride + x]) * 0x100000001B3U;
        }
    }
    return value;
}

TEST_CASE("golden pictures have OpenCV's pixels, or are refused", "[image_file]") {
    const std::vector<Golden> all = read_index();
    REQUIRE(all.size() >= 60);
    for (const Golden& golden : all) {
        CAPTURE(golden.name);
        const std::vector<std::byte> file = read_file(golden_path(golden.name));
        const Result<DecodedImage> image = decode_image(file);
        if (!golden.words.empty()) {
            REQUIRE_FALSE(image);
            CHECK_THAT(image.error().message, contains(golden.words));
            continue;
        }
        if (!image) FAIL(image.error().message);
        const ImageView view = image.value().view();
        CHECK(view.width == golden.width);
        CHECK(view.height == golden.height);
        CHECK(view.format == PixelFormat::rgb);
        CHECK(hash(view) == golden.hash);
    }
}

TEST_CASE("a golden picture that ends early is refused at every length", "[image_file]") {
    for (const Golden& golden : read_index()) {
        if (!golden.words.empty()) continue;
        CAPTURE(golden.name);
        const std::vector<std::byte> file = read_file(golden_path(golden.name));
        const Result<DecodedImage> whole = decode_image(file);
        REQUIRE(whole);
        for (std::size_t size = 0; size < file.size(); ++size) {
            CAPTURE(size);
            // A copy of its own size: reading past it is seen by a sanitizer.
            const std::vector<std::byte> part(file.begin(),
                                              file.begin() + static_cast<std::ptrdiff_t>(size));
            const Result<DecodedImage> image = decode_image(part);
            // What is lost may be nothing but the end marker or what follows it: the same picture.
            if (image) REQUIRE(hash(image.value().view()) == golden.hash);
            if (size < file.size() / 2) REQUIRE_FALSE(image);
        }
    }
}

}  // namespace
}  // namespace lprnet::test
