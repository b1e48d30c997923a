// Rectified plates against OpenCV's, within one level. The cases and how their sources are made:
// scripts/make_rectify_golden.py.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
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

const std::string kFolder = std::string(LPRNET_TESTS_DIR) + "/golden/rectify/";

struct Case {
    std::string name;
    int source_width = 0;
    int source_height = 0;
    PixelFormat format = PixelFormat::bgr;
    Preprocess preprocess;
    Quad quad;
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
            c.preprocess.width >> c.preprocess.height >> c.quad.rows;
        for (Point* p :
             {&c.quad.top_left, &c.quad.top_right, &c.quad.bottom_right, &c.quad.bottom_left})
            fields >> p->x >> p->y;
        fields >> c.seed;
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

TEST_CASE("the rectified plate equals OpenCV's within a level", "[image][golden]") {
    const std::vector<Case> cases = read_index();
    REQUIRE(cases.size() >= 30);
    for (const Case& c : cases) {
        CAPTURE(c.name);
        const std::vector<std::uint8_t> expected = test::read_bytes(kFolder + c.name + ".bin");
        const std::ptrdiff_t stride = row_bytes(c.format, c.source_width);
        const std::vector<std::uint8_t> source =
            test::noise(image_bytes(c.format, c.source_height, stride), c.seed);
        auto preprocessor = Preprocessor::create(c.preprocess);
        REQUIRE(preprocessor.ok());
        REQUIRE(preprocessor->output_size() == expected.size());
        std::vector<std::uint8_t> found(expected.size());
        REQUIRE(preprocessor
                    ->rectify({source.data(), c.source_width, c.source_height, stride, c.format},
                              c.quad, found.data())
                    .ok());

        std::size_t worst = 0;
        std::size_t differing = 0;
        const auto error = [&](std::size_t i) { return std::abs(found[i] - expected[i]); };
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (error(i) > error(worst)) worst = i;
            if (error(i) > 0) ++differing;
        }
        if (error(worst) > 1) {
            FAIL_CHECK("byte " << worst << ": expected " << int{expected[worst]} << ", found "
                               << int{found[worst]} << "; " << differing << " of " << found.size()
                               << " differ");
        }
    }
}
