// Formats, strides, normalization and errors of the preprocessor. The bytes of
// the resize itself are compared with OpenCV's in resize_golden_test.cpp.
#include "engine/image/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>
#include "engine/text/listed_names.h"
#include "tests/catch.h"

#include "tests/image/noise.h"

namespace {

using namespace lprnet;
using lprnet::test::contains;
using Bytes = std::vector<std::uint8_t>;

constexpr std::array kFormats{PixelFormat::bgr, PixelFormat::rgb, PixelFormat::bgra,
                              PixelFormat::rgba, PixelFormat::gray};
constexpr std::array kOrders{ChannelOrder::bgr, ChannelOrder::rgb, ChannelOrder::gray};
// Any size, exactly twice, and exactly an output of 94 x 24.
constexpr std::array<std::pair<int, int>, 3> kSizes{{{136, 36}, {188, 48}, {94, 24}}};

Preprocessor make(const Preprocess& preprocess) {
    auto made = Preprocessor::create(preprocess);
    REQUIRE(made.ok());
    return std::move(*made);
}

Preprocessor make(ChannelOrder order) {
    Preprocess preprocess;
    preprocess.order = order;
    return make(preprocess);
}

Bytes resized(Preprocessor& preprocessor, const ImageView& image) {
    Bytes out(preprocessor.output_size());
    REQUIRE(preprocessor.resize(image, out.data()).ok());
    return out;
}

std::size_t area(int width, int height) {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
}

// Blue, green, red of a pixel, as the format stores them.
std::array<std::uint8_t, 3> color(const std::uint8_t* pixel, PixelFormat format) {
    switch (format) {
        case PixelFormat::bgr:
        case PixelFormat::bgra: return {pixel[0], pixel[1], pixel[2]};
        case PixelFormat::rgb:
        case PixelFormat::rgba: return {pixel[2], pixel[1], pixel[0]};
        default: break;
    }
    return {pixel[0], pixel[0], pixel[0]};
}

// The model's channels of every pixel of a tight picture, by plain loops.
Bytes converted(const Bytes& pixels, PixelFormat format, ChannelOrder order) {
    Bytes out;
    for (std::size_t i = 0; i < pixels.size(); i += static_cast<std::size_t>(channels(format))) {
        const auto [b, g, r] = color(&pixels[i], format);
        if (order == ChannelOrder::bgr) out.insert(out.end(), {b, g, r});
        if (order == ChannelOrder::rgb) out.insert(out.end(), {r, g, b});
        if (order == ChannelOrder::gray && format == PixelFormat::gray) out.push_back(b);
        if (order == ChannelOrder::gray && format != PixelFormat::gray)
            out.push_back(
                static_cast<std::uint8_t>((b * 3735 + g * 19235 + r * 9798 + 16384) >> 15));
    }
    return out;
}

PixelFormat format_of(ChannelOrder order) {
    switch (order) {
        case ChannelOrder::bgr: return PixelFormat::bgr;
        case ChannelOrder::rgb: return PixelFormat::rgb;
        case ChannelOrder::gray: break;
    }
    return PixelFormat::gray;
}

// A valid picture of one tight row of BGR.
const Bytes kRow(30);
ImageView small_image() {
    return {kRow.data(), 10, 1, 30, PixelFormat::bgr};
}

// Both run functions refuse the picture with one line that holds each part, and
// leave the output alone.
void check_refused(const ImageView& image, const std::vector<std::string>& parts) {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    Bytes bytes(preprocessor.output_size(), 0xA5);
    std::vector<float> floats(preprocessor.output_size(), 42.0f);
    for (const Status& status :
         {preprocessor.resize(image, bytes.data()), preprocessor.run(image, floats.data())}) {
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().code == ErrorCode::invalid_argument);
        CHECK(status.error().message.find('\n') == std::string::npos);
        for (const std::string& part : parts) CHECK_THAT(status.error().message, contains(part));
    }
    CHECK(bytes == Bytes(bytes.size(), 0xA5));
    CHECK(floats == std::vector<float>(floats.size(), 42.0f));
}

void check_refused(const Preprocess& preprocess, const std::vector<std::string>& parts) {
    const auto made = Preprocessor::create(preprocess);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == ErrorCode::invalid_argument);
    CHECK(made.error().message.find('\n') == std::string::npos);
    for (const std::string& part : parts) CHECK_THAT(made.error().message, contains(part));
}

}  // namespace

TEST_CASE("a picture of the model's size passes through unresized", "[image]") {
    for (const ChannelOrder order : kOrders) {
        Preprocessor preprocessor = make(order);
        for (const PixelFormat format : kFormats) {
            CAPTURE(static_cast<int>(order), static_cast<int>(format));
            const int row_bytes = 94 * channels(format);
            const Bytes pixels = test::noise(area(row_bytes, 24), 7);
            CHECK(resized(preprocessor, {pixels.data(), 94, 24, row_bytes, format}) ==
                  converted(pixels, format, order));
        }
    }
}

TEST_CASE("every format gives what the converted picture gives", "[image]") {
    for (const auto& [width, height] : kSizes)
        for (const ChannelOrder order : kOrders) {
            Preprocessor preprocessor = make(order);
            for (const PixelFormat format : kFormats) {
                CAPTURE(width, height, static_cast<int>(order), static_cast<int>(format));
                const int row_bytes = width * channels(format);
                const Bytes pixels = test::noise(area(row_bytes, height), 8);
                const Bytes plain = converted(pixels, format, order);
                CHECK(resized(preprocessor, {pixels.data(), width, height, row_bytes, format}) ==
                      resized(preprocessor, {plain.data(), width, height, width * channels(order),
                                             format_of(order)}));
            }
        }
}

TEST_CASE("alpha is ignored", "[image]") {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    for (const auto& [width, height] : kSizes) {
        Bytes pixels = test::noise(area(width * 4, height), 9);
        const ImageView image{pixels.data(), width, height, width * 4, PixelFormat::bgra};
        const Bytes expected = resized(preprocessor, image);
        for (std::size_t i = 3; i < pixels.size(); i += 4)
            pixels[i] = static_cast<std::uint8_t>(~pixels[i]);
        CHECK(resized(preprocessor, image) == expected);
    }
}

TEST_CASE("bytes between the rows are not read", "[image]") {
    for (const auto& [width, height] : kSizes)
        for (const PixelFormat format : kFormats) {
            CAPTURE(width, height, static_cast<int>(format));
            Preprocessor preprocessor = make(ChannelOrder::bgr);
            const int row_bytes = width * channels(format);
            const int stride = row_bytes + 13;
            const Bytes pixels = test::noise(area(row_bytes, height), 10);
            const Bytes expected =
                resized(preprocessor, {pixels.data(), width, height, row_bytes, format});
            for (const std::uint8_t padding : {std::uint8_t{0}, std::uint8_t{255}}) {
                // The last row ends the buffer: a read past it is a read past the end.
                Bytes padded(area(stride, height - 1) + static_cast<std::size_t>(row_bytes),
                             padding);
                for (int y = 0; y < height; ++y)
                    std::copy_n(pixels.begin() + y * row_bytes, row_bytes,
                                padded.begin() + y * stride);
                CHECK(resized(preprocessor, {padded.data(), width, height, stride, format}) ==
                      expected);
            }
        }
}

TEST_CASE("a negative stride is a bottom-up picture", "[image]") {
    for (const auto& [width, height] : kSizes)
        for (const PixelFormat format : kFormats) {
            CAPTURE(width, height, static_cast<int>(format));
            Preprocessor preprocessor = make(ChannelOrder::rgb);
            const int row_bytes = width * channels(format);
            const int stride = row_bytes + 5;
            const Bytes pixels = test::noise(area(row_bytes, height), 11);
            const Bytes expected =
                resized(preprocessor, {pixels.data(), width, height, row_bytes, format});
            Bytes flipped(area(stride, height));
            for (int y = 0; y < height; ++y)
                std::copy_n(pixels.begin() + y * row_bytes, row_bytes,
                            flipped.begin() + (height - 1 - y) * stride);
            CHECK(resized(preprocessor, {flipped.data() + (height - 1) * stride, width, height,
                                         -stride, format}) == expected);
        }
}

TEST_CASE("a stride of exactly one row either way is accepted", "[image]") {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    ImageView image = small_image();
    const Bytes expected = resized(preprocessor, image);
    image.stride = -image.stride;
    CHECK(resized(preprocessor, image) == expected);
}

TEST_CASE("nothing is written around the output", "[image]") {
    constexpr std::size_t kGuard = 64;
    for (const auto& [width, height] : kSizes)
        for (const ChannelOrder order : kOrders)
            for (const PixelFormat format : kFormats) {
                CAPTURE(width, height, static_cast<int>(order), static_cast<int>(format));
                Preprocessor preprocessor = make(order);
                const int row_bytes = width * channels(format);
                const Bytes pixels = test::noise(area(row_bytes, height), 12);
                const ImageView image{pixels.data(), width, height, row_bytes, format};
                const std::size_t count = preprocessor.output_size();

                Bytes bytes(count + 2 * kGuard, 0xA5);
                REQUIRE(preprocessor.resize(image, bytes.data() + kGuard).ok());
                std::vector<float> floats(count + 2 * kGuard, 42.0f);
                REQUIRE(preprocessor.run(image, floats.data() + kGuard).ok());
                for (std::size_t i = 0; i < kGuard; ++i) {
                    REQUIRE(bytes[i] == 0xA5);
                    REQUIRE(bytes[kGuard + count + i] == 0xA5);
                    REQUIRE(floats[i] == 42.0f);
                    REQUIRE(floats[kGuard + count + i] == 42.0f);
                }
                // 42 is no normalized value, so every element in between was written.
                CHECK(std::count(floats.begin() + kGuard, floats.end() - kGuard, 42.0f) == 0);
            }
}

TEST_CASE("a flat picture stays flat", "[image]") {
    for (const int level : {0, 1, 127, 128, 254, 255})
        for (const auto& [width, height] : {std::pair{1, 1}, {94, 24}, {188, 48}, {440, 140}}) {
            CAPTURE(level, width, height);
            Preprocessor preprocessor = make(ChannelOrder::bgr);
            const Bytes pixels(area(width * 3, height), static_cast<std::uint8_t>(level));
            const Bytes found =
                resized(preprocessor, {pixels.data(), width, height, width * 3, PixelFormat::bgr});
            CHECK(found == Bytes(found.size(), static_cast<std::uint8_t>(level)));
        }
}

TEST_CASE("the largest sides are accepted", "[image]") {
    Preprocessor preprocessor = make(ChannelOrder::gray);
    const Bytes line(kMaxImageSide, 200);
    const Bytes expected(preprocessor.output_size(), 200);
    CHECK(resized(preprocessor,
                  {line.data(), kMaxImageSide, 1, kMaxImageSide, PixelFormat::gray}) == expected);
    CHECK(resized(preprocessor, {line.data(), 1, kMaxImageSide, 1, PixelFormat::gray}) == expected);
}

TEST_CASE("output sizes from one pixel to the limit", "[image]") {
    const Bytes pixels(area(30, 20), 77);
    for (const auto& [width, height] : {std::pair{1, 1},
                                        {1, kMaxInputSide},
                                        {kMaxInputSide, 1},
                                        {kMaxInputSide, kMaxInputSide},
                                        {30, 20},
                                        {15, 10}}) {
        CAPTURE(width, height);
        Preprocess preprocess;
        preprocess.width = width;
        preprocess.height = height;
        preprocess.order = ChannelOrder::gray;
        Preprocessor preprocessor = make(preprocess);
        CHECK(preprocessor.output_size() == area(width, height));
        CHECK(resized(preprocessor, {pixels.data(), 30, 20, 30, PixelFormat::gray}) ==
              Bytes(area(width, height), 77));
    }
}

TEST_CASE("normalization subtracts the mean, then multiplies, per channel", "[image]") {
    for (const ChannelOrder order : kOrders)
        for (const PixelFormat format : kFormats) {
            CAPTURE(static_cast<int>(order), static_cast<int>(format));
            Preprocess preprocess;
            preprocess.order = order;
            const float mean[3] = {104.01f, 116.67f, 122.68f};
            const float scale[3] = {1.0f / 57.1f, 0.017f, -0.3f};
            std::copy_n(mean, 3, preprocess.mean);
            std::copy_n(scale, 3, preprocess.scale);
            Preprocessor preprocessor = make(preprocess);
            const int row_bytes = 131 * channels(format);
            const Bytes pixels = test::noise(area(row_bytes, 41), 13);
            const ImageView image{pixels.data(), 131, 41, row_bytes, format};

            const Bytes bytes = resized(preprocessor, image);
            std::vector<float> found(bytes.size());
            REQUIRE(preprocessor.run(image, found.data()).ok());
            for (std::size_t i = 0; i < bytes.size(); ++i) {
                const std::size_t c = i % static_cast<std::size_t>(channels(order));
                const float centered = static_cast<float>(bytes[i]) - mean[c];
                const float expected = centered * scale[c];
                REQUIRE(std::memcmp(&expected, &found[i], sizeof expected) == 0);
            }
        }
}

TEST_CASE("the default normalization maps 0..255 onto -0.99609375..0.99609375", "[image]") {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    for (const auto& [level, expected] : {std::pair{0, -0.99609375f}, {255, 0.99609375f}}) {
        const Bytes pixels(area(94 * 3, 24), static_cast<std::uint8_t>(level));
        std::vector<float> found(preprocessor.output_size());
        REQUIRE(
            preprocessor.run({pixels.data(), 94, 24, 94 * 3, PixelFormat::bgr}, found.data()).ok());
        CHECK(found == std::vector<float>(found.size(), expected));
    }
}

TEST_CASE("an answer does not depend on the pictures before it", "[image]") {
    struct Picture {
        int width;
        int height;
        PixelFormat format;
    };
    // Neighbors share a width, a height, a row size in bytes, or nothing.
    const std::array<Picture, 9> pictures{{{136, 36, PixelFormat::bgr},
                                           {136, 40, PixelFormat::bgr},
                                           {136, 40, PixelFormat::bgra},
                                           {408, 40, PixelFormat::gray},
                                           {188, 48, PixelFormat::rgb},
                                           {94, 24, PixelFormat::rgb},
                                           {136, 40, PixelFormat::gray},
                                           {1, 1, PixelFormat::rgba},
                                           {136, 36, PixelFormat::rgb}}};
    for (const ChannelOrder order : kOrders) {
        Preprocessor shared = make(order);
        for (std::size_t round = 0; round < 3; ++round)
            for (std::size_t i = 0; i < pictures.size(); ++i) {
                const Picture& picture = pictures[(i * (round + 1)) % pictures.size()];
                CAPTURE(round, i);
                const int row_bytes = picture.width * channels(picture.format);
                const Bytes pixels = test::noise(area(row_bytes, picture.height),
                                                 static_cast<std::uint32_t>(round * 100 + i));
                const ImageView image{pixels.data(), picture.width, picture.height, row_bytes,
                                      picture.format};
                Preprocessor fresh = make(order);
                CHECK(resized(shared, image) == resized(fresh, image));
            }
    }
}

TEST_CASE("new pixels in the same memory are seen", "[image]") {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    Bytes pixels(area(136 * 3, 36), 10);
    const ImageView image{pixels.data(), 136, 36, 136 * 3, PixelFormat::bgr};
    CHECK(resized(preprocessor, image) == Bytes(preprocessor.output_size(), 10));
    std::fill(pixels.begin(), pixels.end(), std::uint8_t{20});
    CHECK(resized(preprocessor, image) == Bytes(preprocessor.output_size(), 20));
}

TEST_CASE("a moved preprocessor goes on", "[image]") {
    Preprocessor first = make(ChannelOrder::bgr);
    const Bytes pixels = test::noise(area(136 * 3, 36), 14);
    const ImageView image{pixels.data(), 136, 36, 136 * 3, PixelFormat::bgr};
    const Bytes expected = resized(first, image);
    Preprocessor second = std::move(first);
    CHECK(resized(second, image) == expected);
    CHECK(second.preprocess().width == 94);
}

TEST_CASE("rows may be asked for in any order", "[image]") {
    for (const auto& [width, height] : kSizes) {
        const Bytes pixels = test::noise(area(width * 3, height), 15);
        const ImageView image{pixels.data(), width, height, width * 3, PixelFormat::bgr};
        Preprocessor preprocessor = make(ChannelOrder::bgr);
        const Bytes expected = resized(preprocessor, image);
        Resizer resizer(94, 24, ChannelOrder::bgr);
        const auto picture = check_picture(image);
        REQUIRE(picture.ok());
        resizer.begin(*picture, {0, 0, width, height});
        for (int i = 0; i < 48; ++i) {
            const int y = (i * 17 + 5) % 24;
            Bytes row(94 * 3);
            resizer.row(y, row.data());
            CHECK(std::equal(row.begin(), row.end(), expected.begin() + y * 94 * 3));
        }
    }
}

TEST_CASE("error: null pixels", "[image][error]") {
    ImageView image = small_image();
    image.data = nullptr;
    check_refused(image, {"image data", "expected", "found a null pointer"});
}

TEST_CASE("error: null output", "[image][error]") {
    Preprocessor preprocessor = make(ChannelOrder::bgr);
    for (const Status& status :
         {preprocessor.resize(small_image(), nullptr), preprocessor.run(small_image(), nullptr)}) {
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().code == ErrorCode::invalid_argument);
        CHECK_THAT(status.error().message,
                   contains("image output") && contains("found a null pointer"));
    }
}

TEST_CASE("error: width of zero", "[image][error]") {
    ImageView image = small_image();
    image.width = 0;
    check_refused(image, {"image width", "expected 1..32768", "found 0"});
}

TEST_CASE("error: negative width", "[image][error]") {
    ImageView image = small_image();
    image.width = std::numeric_limits<int>::min();
    check_refused(image, {"image width", "expected 1..32768", "found -2147483648"});
}

TEST_CASE("error: width beyond the limit", "[image][error]") {
    ImageView image = small_image();
    image.width = kMaxImageSide + 1;
    image.stride = 3 * (kMaxImageSide + 1);
    check_refused(image, {"image width", "expected 1..32768", "found 32769"});
}

TEST_CASE("error: height of zero", "[image][error]") {
    ImageView image = small_image();
    image.height = 0;
    check_refused(image, {"image height", "expected 1..32768", "found 0"});
}

TEST_CASE("error: negative height", "[image][error]") {
    ImageView image = small_image();
    image.height = -1;
    check_refused(image, {"image height", "expected 1..32768", "found -1"});
}

TEST_CASE("error: height beyond the limit", "[image][error]") {
    ImageView image = small_image();
    image.height = kMaxImageSide + 1;
    check_refused(image, {"image height", "expected 1..32768", "found 32769"});
}

TEST_CASE("error: unknown pixel format", "[image][error]") {
    ImageView image = small_image();
    image.format = static_cast<PixelFormat>(17);
    check_refused(image, {"image format", "expected " + listed_names(kPixelFormats, " or "),
                          "found value 17"});
}

TEST_CASE("error: stride smaller than a row", "[image][error]") {
    ImageView image = small_image();
    for (const std::ptrdiff_t stride : {29, 1, 0, -1, -29}) {
        image.stride = stride;
        check_refused(image,
                      {"image stride", "expected at least 30", "found " + std::to_string(stride)});
    }
}

TEST_CASE("error: stride no address space holds", "[image][error]") {
    ImageView image = small_image();
    image.height = 2;
    for (const std::ptrdiff_t stride :
         {std::numeric_limits<std::ptrdiff_t>::max(), std::numeric_limits<std::ptrdiff_t>::min()}) {
        image.stride = stride;
        check_refused(image,
                      {"image stride", "expected at most", "found " + std::to_string(stride)});
    }
}

TEST_CASE("error: output width out of range", "[image][error]") {
    for (const int width : {0, -5, kMaxInputSide + 1}) {
        Preprocess preprocess;
        preprocess.width = width;
        check_refused(preprocess,
                      {"preprocess width", "expected 1..1024", "found " + std::to_string(width)});
    }
}

TEST_CASE("error: output height out of range", "[image][error]") {
    for (const int height : {0, -5, kMaxInputSide + 1}) {
        Preprocess preprocess;
        preprocess.height = height;
        check_refused(preprocess,
                      {"preprocess height", "expected 1..1024", "found " + std::to_string(height)});
    }
}

TEST_CASE("error: unknown channel order", "[image][error]") {
    Preprocess preprocess;
    preprocess.order = static_cast<ChannelOrder>(9);
    check_refused(preprocess,
                  {"preprocess channel order", "expected bgr, rgb or gray", "found value 9"});
}

TEST_CASE("error: mean that is not finite", "[image][error]") {
    for (const float mean : {INFINITY, -INFINITY, NAN}) {
        Preprocess preprocess;
        preprocess.mean[2] = mean;
        check_refused(preprocess, {"preprocess mean[2]", "expected a finite number", "found"});
    }
}

TEST_CASE("error: scale that is not finite, or zero", "[image][error]") {
    for (const float scale : {INFINITY, NAN, 0.0f, -0.0f}) {
        Preprocess preprocess;
        preprocess.scale[1] = scale;
        check_refused(preprocess,
                      {"preprocess scale[1]", "expected a finite number other than 0", "found"});
    }
}

TEST_CASE("mean and scale of channels a gray model lacks are not looked at", "[image]") {
    Preprocess preprocess;
    preprocess.order = ChannelOrder::gray;
    preprocess.mean[1] = NAN;
    preprocess.scale[2] = 0.0f;
    CHECK(Preprocessor::create(preprocess).ok());
}
