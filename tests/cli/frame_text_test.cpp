// The words behind --raw, --roi and --quad.
#include "engine/cli/frame_text.h"

#include <random>
#include <string>
#include <utility>
#include "tests/catch.h"

namespace {

using namespace lprnet;
using namespace lprnet::cli;
using lprnet::test::contains;

template <class Value>
void check_refused(const Result<Value>& result, const std::string& expected,
                   const std::string& found) {
    CAPTURE(found);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::invalid_argument);
    CHECK(result.error().message.find('\n') == std::string::npos);
    CHECK_THAT(result.error().message, contains(expected) && contains(found));
}

}  // namespace

TEST_CASE("every raw format by its name", "[cli]") {
    const std::pair<const char*, PixelFormat> kNames[] = {
        {"bgr", PixelFormat::bgr},   {"rgb", PixelFormat::rgb},   {"bgra", PixelFormat::bgra},
        {"rgba", PixelFormat::rgba}, {"gray", PixelFormat::gray}, {"nv12", PixelFormat::nv12},
        {"nv21", PixelFormat::nv21}, {"i420", PixelFormat::i420}, {"yuyv", PixelFormat::yuyv},
        {"NV12", PixelFormat::nv12}, {"Bgr", PixelFormat::bgr}};
    for (const auto& [name, format] : kNames) {
        CAPTURE(name);
        const Result<RawFormat> raw = parse_raw_format(std::string(name) + ":641x480");
        REQUIRE(raw.ok());
        CHECK(raw->format == format);
        CHECK(raw->width == 641);
        CHECK(raw->height == 480);
        CHECK(raw->stride == row_bytes(format, 641));
        const Result<RawFormat> padded = parse_raw_format(std::string(name) + ":641x480:4096");
        REQUIRE(padded.ok());
        CHECK(padded->stride == 4096);
    }
}

TEST_CASE("error: raw formats that are none", "[cli][error]") {
    for (const std::string text :
         {"", "nv12", "nv12:", "nv12:640", "nv12:640x", "nv12:x480", "nv12:640X480",
          "nv12: 640x480", "nv12:640x480:", "nv12:640x480:x", "nv12:640x480:640:", "nv12:640x480 ",
          "nv12:6.4x480", "nv12:99999999999x480", "nv12:640x480:99999999999999999999"})
        check_refused(parse_raw_format(text), "expected FORMAT:WIDTHxHEIGHT[:STRIDE]",
                      "found '" + text + "'");
    for (const std::string name : {"", "yuv", "nv1", "nv122", " nv12"})
        check_refused(parse_raw_format(name + ":640x480"),
                      "one of the formats nv12, nv21, i420, yuyv, gray, bgr, rgb, bgra, rgba",
                      "found '" + name + "'");
    for (const std::string text :
         {"nv12:0x480", "nv12:640x0", "nv12:-1x480", "nv12:32769x480", "nv12:640x32769"})
        check_refused(parse_raw_format(text), "a width and a height of 1 to 32768", text);
    check_refused(parse_raw_format("bgr:640x480:1919"), "a stride of 1920 to 16777216 bytes",
                  "bgr:640x480:1919");
    check_refused(parse_raw_format("gray:640x480:16777217"), "a stride of 640 to 16777216 bytes",
                  "gray:640x480:16777217");
    check_refused(parse_raw_format("nv12:640x480:-640"), "a stride of 640", "-640");
}

TEST_CASE("regions as words", "[cli]") {
    const Result<Region> region = parse_region("1,-2,30,40");
    REQUIRE(region.ok());
    CHECK(region->x == 1);
    CHECK(region->y == -2);
    CHECK(region->width == 30);
    CHECK(region->height == 40);
    for (const std::string text :
         {"", "1", "1,2,3", "1,2,3,4,5", "1,2,3,4,", ",1,2,3", "1,2,3,x", "1, 2,3,4", "1,2,3,4 ",
          "0,0,1.5,2", "0,0,99999999999,2", "+1,2,3,4"})
        check_refused(parse_region(text), "expected x,y,width,height in pixels",
                      "found '" + text + "'");
}

TEST_CASE("quads as words", "[cli]") {
    const Result<Quad> quad = parse_quad("10.5,20,110,25.25,1e2,60,-3,55");
    REQUIRE(quad.ok());
    CHECK(quad->top_left.x == 10.5f);
    CHECK(quad->top_left.y == 20.0f);
    CHECK(quad->top_right.x == 110.0f);
    CHECK(quad->top_right.y == 25.25f);
    CHECK(quad->bottom_right.x == 100.0f);
    CHECK(quad->bottom_right.y == 60.0f);
    CHECK(quad->bottom_left.x == -3.0f);
    CHECK(quad->bottom_left.y == 55.0f);
    CHECK(quad->rows == 1);
    for (const std::string text :
         {"", "1,2,3,4", "0,0,9,0,9,9,0", "0,0,9,0,9,9,0,9,1", "0,0,9,0,9,9,0,x", "0,0,9,0,9,9,0,",
          "0;0;9;0;9;9;0;9", "0,0,9,0,9,9,0,1e99"})
        check_refused(parse_quad(text), "expected x,y,x,y,x,y,x,y in pixels",
                      "found '" + text + "'");
    check_refused(parse_quad("0,0,0,9,9,9,9,0"), "clockwise from the top left", "0,0,0,9,9,9,9,0");
    check_refused(parse_quad("0,0,9,0,9,9,0,nan"), "expected coordinates", "nan");
    check_refused(parse_quad("0,0,inf,0,9,9,0,9"), "expected coordinates", "inf");
    check_refused(parse_quad("0,0,9,0,9,70000,0,9"), "from -65536 to 65536", "70000");
}

TEST_CASE("words of noise are refused or mean a picture in range", "[cli]") {
    std::mt19937 random(5);
    const std::string letters = "0123456789,,,,:::x.-einvgrayb12";
    for (int round = 0; round < 20000; ++round) {
        std::string text = round % 2 == 0 ? "nv12:" : "";
        for (std::size_t length = random() % 24; length > 0; --length)
            text += letters[random() % letters.size()];
        if (const auto raw = parse_raw_format(text)) {
            REQUIRE(raw->stride >= row_bytes(raw->format, raw->width));
            REQUIRE(raw->width * raw->height > 0);
        }
        (void)parse_region(text);
        (void)parse_quad(text);
    }
}
