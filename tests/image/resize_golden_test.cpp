// The 8-bit picture against OpenCV's, byte for byte. The cases and how their
// sources are made: scripts/make_resize_golden.py.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>
#include "tests/catch.h"

#include "engine/image/preprocess.h"
#include "tests/image/noise.h"

namespace {

using namespace lprnet;

const std::string kFolder = std::string(LPRNET_TESTS_DIR) + "/golden/resize/";

struct Case {
    std::string name;
    int source_width = 0;
    int source_height = 0;
    PixelFormat format = PixelFormat::bgr;
    Preprocess preprocess;
    std::uint32_t seed = 0;
};

std::optional<PixelFormat> format_named(const std::string& name) {
    if (name == "bgr") return PixelFormat::bgr;
    if (name == "rgb") return PixelFormat::rgb;
    if (name == "bgra") return PixelFormat::bgra;
    if (name == "rgba") return PixelFormat::rgba;
    if (name == "gray") return PixelFormat::gray;
    return std::nullopt;
}

std::optional<ChannelOrder> order_named(const std::string& name) {
    if (name == "bgr") return ChannelOrder::bgr;
    if (name == "rgb") return ChannelOrder::rgb;
    if (name == "gray") return ChannelOrder::gray;
    return std::nullopt;
}

std::vector<Case> read_index() {
    std::ifstream file(kFolder + "index.txt");
    REQUIRE(file.is_open());
    std::vector<Case> cases;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        CAPTURE(line);
        Case c;
        std::string format;
        std::string order;
        std::istringstream fields(line);
        fields >> c.name >> c.source_width >> c.source_height >> format >> order >>
            c.preprocess.width >> c.preprocess.height >> c.seed;
        REQUIRE_FALSE(fields.fail());
        REQUIRE(format_named(format));
        REQUIRE(order_named(order));
        c.format = *format_named(format);
        c.preprocess.order = *order_named(order);
        cases.push_back(c);
    }
    return cases;
}

std::vector<std::uint8_t> read_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("the resized picture equals OpenCV's", "[image][golden]") {
    const std::vector<Case> cases = read_index();
    REQUIRE(cases.size() >= 30);
    for (const Case& c : cases) {
        CAPTURE(c.name, c.source_width, c.source_height);
        const std::vector<std::uint8_t> expected = read_bytes(kFolder + c.name + ".bin");

        const int row_bytes = c.source_width * channels(c.format);
        const std::vector<std::uint8_t> source = test::noise(
            static_cast<std::size_t>(row_bytes) * static_cast<std::size_t>(c.source_height),
            c.seed);
        auto preprocessor = Preprocessor::create(c.preprocess);
        REQUIRE(preprocessor.ok());
        REQUIRE(preprocessor->output_size() == expected.size());
        std::vector<std::uint8_t> found(expected.size());
        REQUIRE(preprocessor
                    ->resize({source.data(), c.source_width, c.source_height, row_bytes, c.format},
                             found.data())
                    .ok());

        const auto differing = std::mismatch(expected.begin(), expected.end(), found.begin());
        if (differing.first != expected.end()) {
            const auto at = differing.first - expected.begin();
            FAIL_CHECK("byte " << at << ": expected " << int{*differing.first} << ", found "
                               << int{*differing.second});
        }
    }
}
