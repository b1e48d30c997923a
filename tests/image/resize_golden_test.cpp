// The 8-bit picture against OpenCV's, byte for byte. The cases and how their
// sources are made: scripts/make_resize_golden.py.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>
#include "tests/catch.h"

#include "engine/image/preprocess.h"
#include "tests/image/golden_files.h"
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
        REQUIRE(test::format_named(format));
        REQUIRE(test::order_named(order));
        c.format = *test::format_named(format);
        c.preprocess.order = *test::order_named(order);
        cases.push_back(c);
    }
    return cases;
}

}  // namespace

TEST_CASE("the resized picture equals OpenCV's", "[image][golden]") {
    const std::vector<Case> cases = read_index();
    REQUIRE(cases.size() >= 30);
    for (const PixelFormatTraits& traits : kPixelFormats) {
        CAPTURE(traits.name);
        CHECK(std::any_of(cases.begin(), cases.end(),
                          [&](const Case& c) { return c.format == traits.format; }));
    }
    for (const Case& c : cases) {
        CAPTURE(c.name, c.source_width, c.source_height);
        const std::vector<std::uint8_t> expected = test::read_bytes(kFolder + c.name + ".bin");

        const std::ptrdiff_t stride = row_bytes(c.format, c.source_width);
        const std::vector<std::uint8_t> source =
            test::noise(image_bytes(c.format, c.source_height, stride), c.seed);
        auto preprocessor = Preprocessor::create(c.preprocess);
        REQUIRE(preprocessor.ok());
        REQUIRE(preprocessor->output_size() == expected.size());
        std::vector<std::uint8_t> found(expected.size());
        REQUIRE(preprocessor
                    ->resize({source.data(), c.source_width, c.source_height, stride, c.format},
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
