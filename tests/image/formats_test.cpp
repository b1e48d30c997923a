// Formats with shared chroma, in odd sizes and with odd strides, and regions of any format,
// against plain loops. What equals OpenCV is tested in resize_golden_test.cpp.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>
#include "tests/catch.h"

#include "engine/image/preprocess.h"
#include "engine/image/yuv.h"
#include "tests/image/noise.h"

namespace {

using namespace lprnet;
using lprnet::test::contains;
using Bytes = std::vector<std::uint8_t>;

// Those that make_frame() writes; of others resize_golden_test.cpp knows what they show.
constexpr std::array kShared{PixelFormat::nv12, PixelFormat::nv21, PixelFormat::i420,
                             PixelFormat::yuyv};
constexpr std::array<std::pair<int, int>, 8> kSizes{
    {{94, 24}, {96, 26}, {95, 24}, {94, 25}, {131, 41}, {1, 1}, {3, 1}, {1, 5}}};

int half(int side) {
    return (side + 1) / 2;
}

struct RawFrame {
    Bytes bytes;
    ImageView view;
    Bytes bgr;  // what each pixel shows
};

// Three planes of noise, chroma for blocks of 2x2 pixels.
struct Planes {
    int width, height;
    Bytes y, u, v;
    Planes(int w, int h, std::uint32_t seed)
        : width(w),
          height(h),
          y(test::noise(static_cast<std::size_t>(w * h), seed)),
          u(test::noise(static_cast<std::size_t>(half(w) * half(h)), seed + 1)),
          v(test::noise(static_cast<std::size_t>(half(w) * half(h)), seed + 2)) {}
    std::uint8_t luma(int px, int py) const { return y[static_cast<std::size_t>(py * width + px)]; }
    std::uint8_t chroma(const Bytes& plane, int px, int py) const {
        return plane[static_cast<std::size_t>(py / 2 * half(width) + px / 2)];
    }
};

// The planes in that format, rows `extra` bytes longer than needed and what is between the rows
// filled with `padding`.
RawFrame make_frame(PixelFormat format, const Planes& planes, int extra, std::uint8_t padding) {
    const auto [width, height] = std::pair{planes.width, planes.height};
    const auto stride = static_cast<int>(row_bytes(format, width)) + extra;
    RawFrame frame;
    frame.bytes.assign(image_bytes(format, height, stride), padding);
    const auto at = [&](std::ptrdiff_t i) -> std::uint8_t& {
        return frame.bytes[static_cast<std::size_t>(i)];
    };
    const int chroma_at = stride * height;
    const int even = stride + stride % 2;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const std::uint8_t u = planes.chroma(planes.u, x, y);
            const std::uint8_t v = planes.chroma(planes.v, x, y);
            if (format == PixelFormat::yuyv) {
                at(y * stride + 2 * x) = planes.luma(x, y);
                at(y * stride + 4 * (x / 2) + 1) = u;
                at(y * stride + 4 * (x / 2) + 3) = v;
            } else {
                at(y * stride + x) = planes.luma(x, y);
                const int row = y / 2;
                if (format == PixelFormat::i420) {
                    at(chroma_at + row * (even / 2) + x / 2) = u;
                    at(chroma_at + (half(height) + row) * (even / 2) + x / 2) = v;
                } else {
                    const int first = chroma_at + row * even + x / 2 * 2;
                    at(first) = format == PixelFormat::nv12 ? u : v;
                    at(first + 1) = format == PixelFormat::nv12 ? v : u;
                }
            }
            const Color c = color_of_yuv(planes.luma(x, y), u, v);
            for (const int level : {c.blue, c.green, c.red})
                frame.bgr.push_back(static_cast<std::uint8_t>(level));
        }
    frame.view = {frame.bytes.data(), width, height, stride, format};
    return frame;
}

ImageView bgr_view(const Bytes& bgr, int width, int height) {
    return {bgr.data(), width, height, std::ptrdiff_t{3} * width, PixelFormat::bgr};
}

Preprocessor make(ChannelOrder order, int width = 94, int height = 24) {
    Preprocess preprocess;
    preprocess.order = order;
    preprocess.width = width;
    preprocess.height = height;
    auto made = Preprocessor::create(preprocess);
    REQUIRE(made.ok());
    return std::move(*made);
}

Bytes resized(Preprocessor& preprocessor, const ImageView& image) {
    Bytes out(preprocessor.output_size());
    const Status status = preprocessor.resize(image, out.data());
    if (!status) FAIL(status.error().message);
    return out;
}

Bytes resized(Preprocessor& preprocessor, const ImageView& image, const Region& region) {
    Bytes out(preprocessor.output_size());
    const Status status = preprocessor.resize(image, region, out.data());
    if (!status) FAIL(status.error().message);
    return out;
}

// Both run functions refuse the picture with one line that holds each part.
void check_refused(const ImageView& image, const std::vector<std::string>& parts) {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    Bytes bytes(preprocessor.output_size(), 0xA5);
    const Status status = preprocessor.resize(image, bytes.data());
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::invalid_argument);
    CHECK(status.error().message.find('\n') == std::string::npos);
    for (const std::string& part : parts) CHECK_THAT(status.error().message, contains(part));
    CHECK(bytes == Bytes(bytes.size(), 0xA5));
}

}  // namespace

TEST_CASE("luma and chroma become the colors of BT.601", "[image]") {
    const auto check = [](int y, int u, int v, int blue, int green, int red) {
        CAPTURE(y, u, v);
        const auto level = [](int value) { return static_cast<std::uint8_t>(value); };
        const Color c = color_of_yuv(level(y), level(u), level(v));
        CHECK(std::array{c.blue, c.green, c.red} == std::array{blue, green, red});
    };
    check(16, 128, 128, 0, 0, 0);
    check(0, 128, 128, 0, 0, 0);  // below black
    check(235, 128, 128, 255, 255, 255);
    check(255, 128, 128, 255, 255, 255);  // above white
    check(126, 128, 128, 128, 128, 128);
    // The primaries at full saturation: Y, U, V of pure blue, green and red.
    check(41, 240, 110, 255, 0, 0);
    check(145, 54, 34, 1, 255, 0);
    check(81, 90, 240, 0, 0, 254);
    // The ends of the ranges: the largest and the smallest sum of each color.
    check(255, 255, 128, 255, 229, 255);
    check(0, 0, 128, 0, 50, 0);
    check(255, 128, 255, 255, 175, 255);
    check(0, 128, 0, 0, 104, 0);
    check(255, 255, 255, 255, 125, 255);
    check(0, 0, 0, 0, 154, 0);
}

TEST_CASE("shared chroma in odd sizes and with odd strides", "[image]") {
    for (const auto& [width, height] : kSizes)
        for (const PixelFormat format : kShared)
            for (const int extra : {0, 1, 2, 13}) {
                CAPTURE(width, height, static_cast<int>(format), extra);
                const Planes planes(width, height, 31);
                const RawFrame frame = make_frame(format, planes, extra, 0);
                // Bytes between the rows are not read.
                const RawFrame other = make_frame(format, planes, extra, 255);
                for (const ChannelOrder order :
                     {ChannelOrder::bgr, ChannelOrder::rgb, ChannelOrder::gray}) {
                    Preprocessor preprocessor = make(order);
                    const Bytes expected =
                        resized(preprocessor, bgr_view(frame.bgr, width, height));
                    CHECK(resized(preprocessor, frame.view) == expected);
                    CHECK(resized(preprocessor, other.view) == expected);
                }
            }
}

TEST_CASE("planes of chroma elsewhere, also from the bottom up", "[image]") {
    constexpr int kWidth = 101, kHeight = 33;
    const Planes planes(kWidth, kHeight, 41);
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    Bytes flipped_y, flipped_u, flipped_v;
    const auto flip = [](const Bytes& from, int width, int height, Bytes& to) {
        for (int y = height - 1; y >= 0; --y)
            to.insert(to.end(), from.begin() + y * width, from.begin() + (y + 1) * width);
    };
    flip(planes.y, kWidth, kHeight, flipped_y);
    flip(planes.u, half(kWidth), half(kHeight), flipped_u);
    flip(planes.v, half(kWidth), half(kHeight), flipped_v);
    const std::ptrdiff_t chroma = half(kWidth);
    const std::ptrdiff_t last = chroma * (half(kHeight) - 1);
    const Bytes expected = resized(preprocessor, make_frame(PixelFormat::i420, planes, 0, 0).view);
    CHECK(resized(preprocessor, {planes.y.data(), kWidth, kHeight, kWidth, PixelFormat::i420,
                                 planes.u.data(), planes.v.data(), chroma}) == expected);
    CHECK(resized(preprocessor, {flipped_y.data() + kWidth * (kHeight - 1), kWidth, kHeight,
                                 -kWidth, PixelFormat::i420, flipped_u.data() + last,
                                 flipped_v.data() + last, -chroma}) == expected);
    // One plane of both, with its default stride for a luma of even stride.
    Bytes both;
    for (std::size_t i = 0; i < planes.u.size(); ++i)
        both.insert(both.end(), {planes.u[i], planes.v[i]});
    CHECK(resized(preprocessor, {planes.y.data(), kWidth, kHeight, kWidth, PixelFormat::nv12,
                                 both.data(), nullptr, 0}) == expected);
}

TEST_CASE("bytes of rows and pictures", "[image]") {
    CHECK(row_bytes(PixelFormat::bgr, 5) == 15);
    CHECK(row_bytes(PixelFormat::rgba, 5) == 20);
    CHECK(row_bytes(PixelFormat::gray, 5) == 5);
    CHECK(row_bytes(PixelFormat::nv12, 5) == 5);
    CHECK(row_bytes(PixelFormat::yuyv, 5) == 12);
    CHECK(row_bytes(static_cast<PixelFormat>(99), 5) == 0);
    CHECK(image_bytes(PixelFormat::bgr, 3, 15) == 45);
    CHECK(image_bytes(PixelFormat::bgr, 3, -15) == 45);
    CHECK(image_bytes(PixelFormat::nv12, 1080, 1920) == 1920 * 1080 * 3 / 2);
    CHECK(image_bytes(PixelFormat::i420, 1080, 1920) == 1920 * 1080 * 3 / 2);
    CHECK(image_bytes(PixelFormat::nv21, 3, 5) == 15 + 12);
    CHECK(image_bytes(PixelFormat::i420, 3, 5) == 15 + 12);
    CHECK(image_bytes(PixelFormat::yuyv, 3, 12) == 36);
}

TEST_CASE("a region gives what its pixels give alone", "[image]") {
    constexpr int kWidth = 143, kHeight = 57;
    const Planes planes(kWidth, kHeight, 51);
    for (const PixelFormatTraits& traits : kPixelFormats) {
        const PixelFormat format = traits.format;
        RawFrame frame;
        if (channels(format) == 0) {
            if (std::find(kShared.begin(), kShared.end(), format) == kShared.end()) continue;
            frame = make_frame(format, planes, 3, 0);
        } else {
            const std::ptrdiff_t stride = row_bytes(format, kWidth) + 3;
            frame.bytes = test::noise(image_bytes(format, kHeight, stride), 52);
            frame.view = {frame.bytes.data(), kWidth, kHeight, stride, format};
        }
        // The whole picture as BGR, or as gray, where the region is cut out by hand.
        Preprocessor to_bgr = make(ChannelOrder::bgr, kWidth, kHeight);
        const Bytes whole = resized(to_bgr, frame.view);
        for (const Region& region :
             {Region{0, 0, kWidth, kHeight}, Region{1, 1, 94, 24}, Region{7, 3, 121, 41},
              Region{142, 56, 1, 1}, Region{48, 32, 95, 25}, Region{3, 8, 2, 3}}) {
            CAPTURE(static_cast<int>(format), region.x, region.y, region.width, region.height);
            Bytes part;
            for (int y = region.y; y < region.y + region.height; ++y)
                part.insert(part.end(), whole.begin() + (y * kWidth + region.x) * 3,
                            whole.begin() + (y * kWidth + region.x + region.width) * 3);
            for (const ChannelOrder order : {ChannelOrder::bgr, ChannelOrder::gray}) {
                Preprocessor preprocessor = make(order);
                if (format == PixelFormat::gray && order == ChannelOrder::gray) continue;
                const Bytes expected =
                    resized(preprocessor, bgr_view(part, region.width, region.height));
                CHECK(resized(preprocessor, frame.view, region) == expected);
                std::vector<float> floats(preprocessor.output_size());
                REQUIRE(preprocessor.run(frame.view, region, floats.data()).ok());
                CHECK(floats[0] == (static_cast<float>(expected[0]) - 127.5f) * 0.0078125f);
            }
        }
    }
}

TEST_CASE("error: region outside of the picture", "[image][error]") {
    constexpr int kMax = std::numeric_limits<int>::max();
    constexpr int kMin = std::numeric_limits<int>::min();
    const Planes planes(20, 10, 61);
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    std::vector<float> out(preprocessor.output_size(), 42.0f);
    for (const PixelFormat format : kShared) {
        const RawFrame frame = make_frame(format, planes, 0, 0);
        for (const Region& region :
             {Region{0, 0, 21, 10}, Region{0, 0, 20, 11}, Region{20, 0, 1, 1}, Region{0, 10, 1, 1},
              Region{-1, 0, 5, 5}, Region{0, -1, 5, 5}, Region{0, 0, 0, 5}, Region{0, 0, 5, 0},
              Region{0, 0, -5, 5}, Region{kMax, 0, 1, 1}, Region{1, 0, kMax, 1},
              Region{kMin, 0, 1, 1}, Region{0, 1, 1, kMax}}) {
            const Status status = preprocessor.run(frame.view, region, out.data());
            REQUIRE_FALSE(status.ok());
            CHECK(status.error().code == ErrorCode::invalid_argument);
            CHECK(status.error().message ==
                  "region " + std::to_string(region.x) + "," + std::to_string(region.y) + "," +
                      std::to_string(region.width) + "," + std::to_string(region.height) +
                      " does not lie inside the image of 20x10 pixels");
        }
    }
    CHECK(out == std::vector<float>(out.size(), 42.0f));
}

TEST_CASE("error: stride smaller than a row of shared chroma", "[image][error]") {
    const Bytes bytes(1000);
    check_refused({bytes.data(), 5, 3, 4, PixelFormat::nv12},
                  {"image stride", "expected at least 5", "found 4"});
    check_refused({bytes.data(), 5, 3, 11, PixelFormat::yuyv},
                  {"image stride", "expected at least 12", "found 11"});
    check_refused({bytes.data(), 5, 3, 5, PixelFormat::nv12, bytes.data(), nullptr, 5},
                  {"image chroma stride", "expected at least 6", "found 5"});
    check_refused({bytes.data(), 5, 3, 5, PixelFormat::i420, bytes.data(), bytes.data(), -2},
                  {"image chroma stride", "expected at least 3", "found -2"});
}

TEST_CASE("error: chroma stride no address space holds", "[image][error]") {
    const Bytes bytes(1000);
    check_refused({bytes.data(), 4, 4, 4, PixelFormat::nv12, bytes.data(), nullptr,
                   std::numeric_limits<std::ptrdiff_t>::max()},
                  {"image chroma stride", "expected at most"});
}

TEST_CASE("error: chroma missing", "[image][error]") {
    const Bytes bytes(1000);
    check_refused({bytes.data() + 20, 4, 4, -4, PixelFormat::nv12},
                  {"image chroma", "from the bottom up", "found a null pointer"});
    check_refused({bytes.data(), 4, 4, 4, PixelFormat::i420, nullptr, nullptr, -2},
                  {"image chroma", "from the bottom up", "found a null pointer"});
    check_refused({bytes.data(), 4, 4, 4, PixelFormat::i420, bytes.data(), nullptr, 2},
                  {"image chroma_v", "found one"});
    check_refused({bytes.data(), 4, 4, 4, PixelFormat::i420, nullptr, bytes.data(), 2},
                  {"image chroma:", "found one"});
}
