// What rectification is beyond the bytes of OpenCV (rectify_golden_test.cpp): what it reads, what
// it writes, what it refuses, and two rows.
#include "engine/image/rectify.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>
#include "tests/catch.h"

#include "engine/image/preprocess.h"
#include "tests/image/noise.h"

namespace {

using namespace lprnet;
using lprnet::test::contains;
using Bytes = std::vector<std::uint8_t>;

constexpr Quad kTilted = {{20.5f, 11.25f}, {90.0f, 20.0f}, {88.5f, 41.0f}, {19.0f, 30.75f}};

Preprocessor make(ChannelOrder order, int width = 94, int height = 24) {
    Preprocess preprocess;
    preprocess.order = order;
    preprocess.width = width;
    preprocess.height = height;
    auto made = Preprocessor::create(preprocess);
    REQUIRE(made.ok());
    return std::move(*made);
}

Bytes rectified(Preprocessor& preprocessor, const ImageView& image, const Quad& quad) {
    Bytes out(preprocessor.output_size());
    const Status status = preprocessor.rectify(image, quad, out.data());
    if (!status) FAIL(status.error().message);
    return out;
}

void check_refused(const Quad& quad, const std::vector<std::string>& parts) {
    const Bytes pixels(100 * 50);
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    std::vector<float> floats(preprocessor.output_size(), 42.0f);
    const Status status =
        preprocessor.run({pixels.data(), 100, 50, 100, PixelFormat::gray}, quad, floats.data());
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::invalid_argument);
    CHECK(status.error().message.find('\n') == std::string::npos);
    for (const std::string& part : parts) CHECK_THAT(status.error().message, contains(part));
    CHECK(floats == std::vector<float>(floats.size(), 42.0f));
}

Quad moved(Quad quad, float x, float y) {
    for (Point* p : {&quad.top_left, &quad.top_right, &quad.bottom_right, &quad.bottom_left}) {
        p->x += x;
        p->y += y;
    }
    return quad;
}

}  // namespace

TEST_CASE("the corners of a region of the output's size give its pixels", "[image]") {
    for (const PixelFormatTraits& traits : kPixelFormats) {
        const PixelFormat format = traits.format;
        const std::ptrdiff_t stride = row_bytes(format, 131) + 3;
        const Bytes pixels = test::noise(image_bytes(format, 41, stride), 71);
        const ImageView image = {pixels.data(), 131, 41, stride, format};
        for (const Region& region : {Region{0, 0, 94, 24}, Region{7, 3, 94, 24}}) {
            for (const ChannelOrder order :
                 {ChannelOrder::bgr, ChannelOrder::rgb, ChannelOrder::gray}) {
                CAPTURE(static_cast<int>(format), static_cast<int>(order), region.x);
                Preprocessor preprocessor = make(order);
                Bytes expected(preprocessor.output_size());
                REQUIRE(preprocessor.resize(image, region, expected.data()).ok());
                CHECK(rectified(preprocessor, image, quad_of(region)) == expected);
            }
        }
    }
}

TEST_CASE("only pixels around the plate are read", "[image]") {
    // The plate in a picture without surroundings: the allocation ends where the picture does.
    for (const PixelFormatTraits& traits : kPixelFormats) {
        const PixelFormat format = traits.format;
        CAPTURE(static_cast<int>(format));
        const std::ptrdiff_t stride = row_bytes(format, 101) + 1;
        const Bytes pixels = test::noise(image_bytes(format, 51, stride), 72);
        const ImageView image = {pixels.data(), 101, 51, stride, format};
        Preprocessor preprocessor = make(ChannelOrder::bgr);
        // Every corner in turn outside, by little and by much.
        for (const auto& [x, y] : {std::pair{0.0f, 0.0f},
                                   {-20.5f, -11.25f},
                                   {15.0f, 12.0f},
                                   {-60.0f, -30.0f},
                                   {60.0f, 30.0f}})
            rectified(preprocessor, image, moved(kTilted, x, y));
    }
    // Bytes that no sample needs may change.
    Bytes pixels = test::noise(101 * 51, 73);
    const ImageView image = {pixels.data(), 101, 51, 101, PixelFormat::gray};
    Preprocessor preprocessor = make(ChannelOrder::gray);
    const Bytes expected = rectified(preprocessor, image, kTilted);
    for (int y = 0; y < 51; ++y)
        for (int x = 0; x < 101; ++x)
            if (x < 18 || x > 91 || y < 10 || y > 42)
                pixels[static_cast<std::size_t>(y * 101 + x)] ^= 255;
    CHECK(rectified(preprocessor, image, kTilted) == expected);
}

TEST_CASE("rows from the bottom up are rectified the same", "[image]") {
    const Bytes pixels = test::noise(101 * 51 * 3, 74);
    Bytes flipped;
    for (int y = 50; y >= 0; --y)
        flipped.insert(flipped.end(), pixels.begin() + y * 303, pixels.begin() + (y + 1) * 303);
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    CHECK(rectified(preprocessor, {pixels.data(), 101, 51, 303, PixelFormat::bgr}, kTilted) ==
          rectified(preprocessor, {flipped.data() + 50 * 303, 101, 51, -303, PixelFormat::bgr},
                    kTilted));
}

TEST_CASE("rectified rows are normalized as resized ones are", "[image]") {
    const Bytes pixels = test::noise(101 * 51 * 3, 75);
    const ImageView image = {pixels.data(), 101, 51, 303, PixelFormat::bgr};
    for (const ChannelOrder order : {ChannelOrder::bgr, ChannelOrder::gray}) {
        Preprocessor preprocessor = make(order);
        const Bytes bytes = rectified(preprocessor, image, kTilted);
        constexpr std::size_t kGuard = 64;
        std::vector<float> floats(bytes.size() + 2 * kGuard, 42.0f);
        REQUIRE(preprocessor.run(image, kTilted, floats.data() + kGuard).ok());
        for (std::size_t i = 0; i < bytes.size(); ++i)
            REQUIRE(floats[kGuard + i] == (static_cast<float>(bytes[i]) - 127.5f) * 0.0078125f);
        for (std::size_t i = 0; i < kGuard; ++i) {
            REQUIRE(floats[i] == 42.0f);
            REQUIRE(floats[kGuard + bytes.size() + i] == 42.0f);
        }
    }
}

TEST_CASE("a flat picture stays flat at any angle", "[image]") {
    for (const int level : {0, 1, 127, 254, 255}) {
        const Bytes pixels(101 * 51 * 3, static_cast<std::uint8_t>(level));
        Preprocessor preprocessor = make(ChannelOrder::bgr);
        for (const int rows : {1, 2}) {
            Quad quad = kTilted;
            quad.rows = rows;
            const Bytes found =
                rectified(preprocessor, {pixels.data(), 101, 51, 303, PixelFormat::bgr}, quad);
            CHECK(found == Bytes(found.size(), static_cast<std::uint8_t>(level)));
        }
    }
}

TEST_CASE("two rows: each character covers its place in one row", "[image]") {
    // A plate of GA 36 at one pixel a millimetre, each character a block of its own level.
    Bytes pixels(440 * 220, 0);
    const auto block = [&](double left, int top, int width, int height, int level) {
        for (int y = top; y < top + height; ++y)
            for (int x = static_cast<int>(left); x < static_cast<int>(left) + width; ++x)
                pixels[static_cast<std::size_t>(y * 440 + x)] = static_cast<std::uint8_t>(level);
    };
    block(110, 15, 80, 60, 100);
    block(250, 15, 80, 60, 110);
    for (int i = 0; i < 5; ++i) block(27.5 + 80 * i, 90, 65, 110, 120 + 10 * i);
    Preprocessor preprocessor = make(ChannelOrder::gray, 440, 140);
    const Bytes found = rectified(preprocessor, {pixels.data(), 440, 220, 440, PixelFormat::gray},
                                  quad_of({0, 0, 440, 220}, 2));
    // The middle of each character of a plate of one row, from near its top to near its bottom.
    constexpr double kStarts[] = {15.5, 72.5, 151.5, 208.5, 265.5, 322.5, 379.5};
    for (int i = 0; i < 7; ++i)
        for (const int y : {40, 70, 100}) {
            CAPTURE(i, y);
            const auto x = static_cast<int>(kStarts[i] + 22.5);
            CHECK(found[static_cast<std::size_t>(y * 440 + x)] == 100 + 10 * i);
        }
    // Nothing of a character beside another: the gaps between them are ground.
    for (int i = 0; i + 1 < 7; ++i) {
        const auto x = static_cast<std::size_t>((kStarts[i] + 45 + kStarts[i + 1]) / 2);
        CHECK(found[70 * 440 + x] == 0);
    }
}

TEST_CASE("every output size takes one row and two", "[image]") {
    const Bytes pixels(101 * 51, 7);
    for (const auto& [width, height] : {std::pair{1, 1}, {2, 1}, {3, 5}, {1024, 2}})
        for (const int rows : {1, 2}) {
            Quad quad = kTilted;
            quad.rows = rows;
            Preprocessor preprocessor = make(ChannelOrder::gray, width, height);
            const Bytes found =
                rectified(preprocessor, {pixels.data(), 101, 51, 101, PixelFormat::gray}, quad);
            CHECK(found == Bytes(found.size(), 7));
        }
}

TEST_CASE("error: corners that are no convex plate", "[image][error]") {
    const std::vector<std::string> parts = {"quad ", "expected the corners of a convex plate",
                                            "clockwise from the top left"};
    const auto& [a, b, c, d, rows] = kTilted;
    check_refused({a, d, c, b}, parts);               // anticlockwise
    check_refused({a, c, b, d}, parts);               // crossed
    check_refused({a, b, {40.0f, 22.0f}, d}, parts);  // a dent
    check_refused({a, a, c, d}, parts);
    check_refused({a, b, c, c}, parts);
    check_refused({{0, 0}, {10, 0}, {20, 0}, {30, 0}}, parts);  // a line
    check_refused({}, parts);
    check_refused({{5, 5}, {5.5f, 5}, {5.5f, 5.5f}, {5, 5.5f}}, parts);  // less than a pixel
    check_refused({{90.5f, 20}, {20, 11}, {19, 30}, {88, 41.25f}},
                  {"quad 90.5,20,20,11,19,30,88,41.25: "});  // mirrored
}

TEST_CASE("error: coordinates out of range", "[image][error]") {
    for (const float value : {65537.0f, -65537.0f, INFINITY, -INFINITY, NAN}) {
        for (int i = 0; i < 4; ++i) {
            Quad quad = kTilted;
            Point* corners[] = {&quad.top_left, &quad.top_right, &quad.bottom_right,
                                &quad.bottom_left};
            (i % 2 == 0 ? corners[i]->x : corners[i]->y) = value;
            check_refused(quad, {"quad: expected coordinates from -65536 to 65536, found "});
        }
    }
}

TEST_CASE("error: rows neither one nor two", "[image][error]") {
    for (const int rows : {0, 3, -1, std::numeric_limits<int>::max()}) {
        Quad quad = kTilted;
        quad.rows = rows;
        check_refused(quad, {"quad rows: expected 1 or 2, found " + std::to_string(rows)});
    }
}

TEST_CASE("error: a plate outside of the picture", "[image][error]") {
    for (const auto& [x, y] :
         {std::pair{-91.0f, 0.0f}, {100.0f, 0.0f}, {0.0f, -42.0f}, {0.0f, 50.0f}})
        check_refused(moved(kTilted, x, y), {"quad ", " lies outside the image of 100x50 pixels"});
}

TEST_CASE("error: a picture that is none, for rectification too", "[image][error]") {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    Bytes out(preprocessor.output_size());
    const Bytes pixels(101 * 51);
    for (const ImageView& image : {ImageView{nullptr, 101, 51, 101, PixelFormat::gray},
                                   ImageView{pixels.data(), 0, 51, 101, PixelFormat::gray},
                                   ImageView{pixels.data(), 101, 51, 100, PixelFormat::gray}})
        CHECK_FALSE(preprocessor.rectify(image, kTilted, out.data()).ok());
    CHECK_FALSE(
        preprocessor.rectify({pixels.data(), 101, 51, 101, PixelFormat::gray}, kTilted, nullptr)
            .ok());
}
