// Properties that a runtime may report, good and bad, without a runtime.
#include "engine/bpu/tensor_layout.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "engine/bpu/input_tensor.h"
#include "tests/catch.h"

namespace lprnet::test {
namespace {

using namespace bpu::abi;
using bpu::InputTensor;
using bpu::TensorLayout;

// 1x3x4x5 in float32 without gaps.
TensorProperties dense() {
    TensorProperties p = {};
    p.valid_shape = {{1, 3, 4, 5}, 4};
    p.aligned_shape = p.valid_shape;
    p.layout = kLayoutNchw;
    p.type = kTypeF32;
    p.aligned_bytes = 240;
    const std::int32_t strides[] = {240, 80, 20, 4};
    std::copy(strides, strides + 4, p.strides);
    return p;
}

constexpr Shape kShape = {3, 4, 5};

TEST_CASE("channels, rows and columns are found in every order", "[bpu]") {
    struct Case {
        TensorShape shape;
        std::int32_t layout;
        bool nhwc;
    };
    const Case cases[] = {{{{1, 3, 4, 5}, 4}, kLayoutNchw, false},
                          {{{1, 4, 5, 3}, 4}, kLayoutNhwc, true},
                          {{{3, 4, 5}, 3}, kLayoutNone, false},
                          {{{4, 5, 3, 1, 1}, 5}, kLayoutNone, true},
                          // The extents say more than the layout.
                          {{{1, 4, 5, 3}, 4}, kLayoutNchw, true}};
    std::vector<float> values(60);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    for (const Case& c : cases) {
        TensorProperties p = dense();
        p.valid_shape = p.aligned_shape = c.shape;
        p.layout = c.layout;
        std::fill(p.strides, p.strides + kMaxDimensions, 0);
        Result<TensorLayout> layout = TensorLayout::create(p, kShape, "t");
        REQUIRE(layout.ok());
        std::vector<float> memory(60);
        layout->write(values.data(), reinterpret_cast<std::byte*>(memory.data()));
        std::vector<float> expected(60);
        for (std::size_t h = 0; h < 4; ++h)
            for (std::size_t w = 0; w < 5; ++w)
                for (std::size_t k = 0; k < 3; ++k)
                    expected[c.nhwc ? (h * 5 + w) * 3 + k : (k * 4 + h) * 5 + w] =
                        values[(h * 5 + w) * 3 + k];
        CHECK(memory == expected);
        std::vector<float> back(60);
        layout->read(reinterpret_cast<const std::byte*>(memory.data()), back.data());
        CHECK(back == values);
    }
}

TEST_CASE("where both orders fit, the layout decides", "[bpu]") {
    for (const bool nhwc : {false, true}) {
        TensorProperties p = {};
        p.valid_shape = p.aligned_shape = {{1, 2, 2, 2}, 4};
        p.layout = nhwc ? kLayoutNhwc : kLayoutNchw;
        p.type = kTypeF32;
        p.aligned_bytes = 32;
        Result<TensorLayout> layout = TensorLayout::create(p, {2, 2, 2}, "t");
        REQUIRE(layout.ok());
        const float memory[] = {0, 1, 2, 3, 4, 5, 6, 7};
        float found[8];
        layout->read(reinterpret_cast<const std::byte*>(memory), found);
        CHECK(found[1] == (nhwc ? 1.0f : 4.0f));  // the second channel of the first pixel
    }
}

TEST_CASE("integers are rounded and clipped", "[bpu]") {
    float scale = 0.5f;
    std::int8_t zero = 3;
    std::uint8_t shift = 1;
    TensorProperties p = {};
    p.valid_shape = p.aligned_shape = {{1, 1, 1, 6}, 4};
    p.type = kTypeS8;
    p.aligned_bytes = 6;
    p.quant_type = kQuantScale;
    p.scale = {1, &scale, 1, &zero};
    const float values[] = {0.25f,   0.75f,    -0.25f,
                            1000.0f, -1000.0f, std::numeric_limits<float>::quiet_NaN()};
    std::int8_t memory[6];
    Result<TensorLayout> layout = TensorLayout::create(p, {1, 1, 6}, "t");
    REQUIRE(layout.ok());
    layout->write(values, reinterpret_cast<std::byte*>(memory));
    // To the nearest, halves to the even one: 3.5, 4.5, 2.5.
    CHECK(std::vector<int>(memory, memory + 6) == std::vector<int>{4, 4, 2, 127, -128, -128});
    p.quant_type = kQuantShift;
    p.shift = {1, &shift};
    layout = TensorLayout::create(p, {1, 1, 6}, "t");
    REQUIRE(layout.ok());
    layout->write(values, reinterpret_cast<std::byte*>(memory));
    // Halves away from zero: 0.5, 1.5, -0.5.
    CHECK(std::vector<int>(memory, memory + 5) == std::vector<int>{1, 2, -1, 127, -128});
    float back[6];
    layout->read(reinterpret_cast<const std::byte*>(memory), back);
    CHECK(back[1] == 1.0f);
}

TEST_CASE("properties that cannot be are refused", "[bpu]") {
    static float scales[3] = {1.0f, 1.0f, 1.0f};
    static std::int8_t zeros[3] = {};
    static std::uint8_t shifts[3] = {};
    struct Case {
        const char* name;
        std::function<void(TensorProperties&)> spoil;
        ErrorCode code;
        const char* message;
    };
    const auto int8 = [](TensorProperties& p) {
        p.type = kTypeS8;
        p.quant_type = kQuantScale;
        p.scale = {1, scales, 0, nullptr};
    };
    const Case cases[] = {
        {"no dimensions", [](auto& p) { p.valid_shape.count = 0; }, ErrorCode::malformed,
         "found 0"},
        {"too many", [](auto& p) { p.valid_shape.count = 9; }, ErrorCode::malformed, "found 9"},
        {"negative extent", [](auto& p) { p.valid_shape.extents[1] = -3; }, ErrorCode::malformed,
         "1x-3x4x5"},
        {"huge",
         [](auto& p) {
             p.valid_shape = {{65536, 65536, 65536}, 3};
         },
         ErrorCode::malformed, "out of range"},
        {"another shape", [](auto& p) { p.valid_shape.extents[1] = 2; }, ErrorCode::mismatch,
         "expected 3x4x5"},
        {"another size",
         [](auto& p) {
             p.valid_shape = {{60}, 1};
             p.strides[0] = 4;
         },
         ErrorCode::mismatch, "found 60"},
        {"no bytes", [](auto& p) { p.aligned_bytes = 0; }, ErrorCode::malformed, "0 bytes"},
        {"few bytes", [](auto& p) { p.aligned_bytes = 239; }, ErrorCode::malformed,
         "byte 240 of 239"},
        {"many bytes", [](auto& p) { p.aligned_bytes = std::numeric_limits<std::int32_t>::max(); },
         ErrorCode::malformed, "2147483647 bytes"},
        {"one stride missing", [](auto& p) { p.strides[2] = 0; }, ErrorCode::malformed, "strides"},
        {"negative stride", [](auto& p) { p.strides[3] = -4; }, ErrorCode::malformed, "found -4"},
        {"large stride", [](auto& p) { p.strides[1] = std::numeric_limits<std::int32_t>::max(); },
         ErrorCode::malformed, "of 240"},
        {"aligned to less",
         [](auto& p) {
             std::fill(p.strides, p.strides + 8, 0);
             p.aligned_shape.extents[3] = 4;
         },
         ErrorCode::malformed, "does not hold"},
        {"float64", [](auto& p) { p.type = 16; }, ErrorCode::unsupported, "type 16"},
        {"float16", [](auto& p) { p.type = kTypeF16; }, ErrorCode::unsupported, "float16"},
        {"float with a scale", [](auto& p) { p.quant_type = kQuantScale; }, ErrorCode::unsupported,
         "float32 with a quantization"},
        {"integers alone", [](auto& p) { p.type = kTypeS16; }, ErrorCode::unsupported,
         "int16 without"},
        {"unknown quantization",
         [&](auto& p) {
             int8(p);
             p.quant_type = 7;
         },
         ErrorCode::unsupported, "without"},
        {"no scales",
         [&](auto& p) {
             int8(p);
             p.scale.scales = nullptr;
         },
         ErrorCode::malformed, "no scales"},
        {"two scales",
         [&](auto& p) {
             int8(p);
             p.scale.count = 2;
             p.quant_axis = 1;
         },
         ErrorCode::malformed, "2 factors"},
        {"negative count",
         [&](auto& p) {
             int8(p);
             p.scale.count = -1;
         },
         ErrorCode::malformed, "-1 factors"},
        {"axis out of range",
         [&](auto& p) {
             int8(p);
             p.scale.count = 3;
             p.quant_axis = 9;
         },
         ErrorCode::malformed, "dimension 9"},
        {"scale of zero",
         [&](auto& p) {
             static float zero = 0.0f;
             int8(p);
             p.scale.scales = &zero;
         },
         ErrorCode::malformed, "scale 0"},
        {"scale that is no number",
         [&](auto& p) {
             static float nan = std::numeric_limits<float>::quiet_NaN();
             int8(p);
             p.scale.scales = &nan;
         },
         ErrorCode::malformed, "scale "},
        {"zero points",
         [&](auto& p) {
             int8(p);
             p.scale.zero_point_count = 2;
             p.scale.zero_points = zeros;
         },
         ErrorCode::malformed, "2 zero points"},
        {"no zero points",
         [&](auto& p) {
             int8(p);
             p.scale.zero_point_count = 1;
         },
         ErrorCode::malformed, "1 zero points"},
        {"no shifts",
         [&](auto& p) {
             int8(p);
             p.quant_type = kQuantShift;
             p.shift = {1, nullptr};
         },
         ErrorCode::malformed, "no shifts"},
        {"large shift",
         [&](auto& p) {
             int8(p);
             p.quant_type = kQuantShift;
             shifts[0] = 32;
             p.shift = {1, shifts};
         },
         ErrorCode::malformed, "shift 32"},
    };
    for (const Case& c : cases) {
        INFO(c.name);
        TensorProperties p = dense();
        c.spoil(p);
        const Result<TensorLayout> layout = TensorLayout::create(p, kShape, "output 'x'");
        REQUIRE_FALSE(layout.ok());
        CHECK(layout.error().code == c.code);
        CHECK_THAT(layout.error().message, starts_with("output 'x'"));
        CHECK_THAT(layout.error().message, contains(c.message));
    }
}

TEST_CASE("pixels become NV12 over the full range", "[bpu]") {
    TensorProperties p = {};
    p.valid_shape = {{1, 3, 2, 4}, 4};
    p.aligned_shape = {{1, 3, 2, 16}, 4};
    p.type = kTypeNv12;
    p.aligned_bytes = 48;
    Preprocess how;
    how.width = 4;
    how.height = 2;
    how.order = ChannelOrder::rgb;
    Result<InputTensor> input = InputTensor::create(p, how, bpu::Nv12Range::full, "input");
    REQUIRE(input.ok());
    REQUIRE(input->takes_pixels());
    // A block of red, a block of blue and gray in turns.
    const std::uint8_t pixels[] = {255, 0, 0, 255, 0, 0, 0,   0,   255, 8, 8, 8,
                                   255, 0, 0, 255, 0, 0, 200, 200, 200, 0, 0, 255};
    std::vector<std::byte> memory(48, std::byte{7});
    std::byte* blocks[2] = {memory.data(), nullptr};
    input->write_pixels(pixels, blocks);
    const auto at = [&](std::size_t i) { return static_cast<int>(memory[i]); };
    const int luma[] = {76, 76, 29, 8, 76, 76, 200, 29};
    for (std::size_t i = 0; i < 8; ++i) CHECK(at(i / 4 * 16 + i % 4) == luma[i]);
    CHECK(at(32) == 85);  // U and V of red
    CHECK(at(33) == 255);
    CHECK(at(34) == 192);  // halfway between blue's 255.5 and gray's 128
    CHECK(at(35) == 118);
    CHECK(at(4) == 7);  // padding is left alone
    // The same for the other channel order, and in two buffers.
    how.order = ChannelOrder::bgr;
    p.type = kTypeNv12Separate;
    input = InputTensor::create(p, how, bpu::Nv12Range::full, "input");
    REQUIRE(input.ok());
    REQUIRE(input->blocks().size() == 2);
    CHECK(input->blocks()[0] == 32);
    CHECK(input->blocks()[1] == 16);
    std::uint8_t swapped[24];
    for (std::size_t i = 0; i < 24; ++i) swapped[i] = pixels[i - i % 3 + 2 - i % 3];
    std::vector<std::byte> luma_block(32, std::byte{7}), chroma_block(16, std::byte{7});
    std::byte* two[2] = {luma_block.data(), chroma_block.data()};
    input->write_pixels(swapped, two);
    CHECK(std::equal(luma_block.begin(), luma_block.end(), memory.begin()));
    CHECK(std::equal(chroma_block.begin(), chroma_block.end(), memory.begin() + 32));
}

TEST_CASE("pixels become NV12 over the range of video", "[bpu]") {
    TensorProperties p = {};
    p.valid_shape = {{1, 3, 2, 2}, 4};
    p.aligned_shape = {{1, 3, 2, 16}, 4};
    p.type = kTypeNv12;
    p.aligned_bytes = 48;
    Preprocess how;
    how.width = how.height = 2;
    how.order = ChannelOrder::rgb;
    Result<InputTensor> input = InputTensor::create(p, how, bpu::Nv12Range::video, "input");
    REQUIRE(input.ok());
    // The corners of the color cube, as BT.601 has them.
    const int colors[][6] = {{255, 255, 255, 235, 128, 128}, {0, 0, 0, 16, 128, 128},
                             {255, 0, 0, 81, 90, 240},       {0, 255, 0, 145, 54, 34},
                             {0, 0, 255, 41, 240, 110},      {255, 255, 0, 210, 16, 146}};
    for (const auto& c : colors) {
        std::uint8_t pixels[12];
        for (std::size_t i = 0; i < 12; ++i) pixels[i] = static_cast<std::uint8_t>(c[i % 3]);
        std::vector<std::byte> memory(48);
        std::byte* blocks[2] = {memory.data(), nullptr};
        input->write_pixels(pixels, blocks);
        for (const std::size_t i : {0, 1, 16, 17}) CHECK(static_cast<int>(memory[i]) == c[3]);
        CHECK(static_cast<int>(memory[32]) == c[4]);
        CHECK(static_cast<int>(memory[33]) == c[5]);
    }
}

TEST_CASE("pictures that cannot be given are refused", "[bpu]") {
    TensorProperties good = {};
    good.valid_shape = {{1, 3, 24, 94}, 4};
    good.aligned_shape = {{1, 3, 24, 96}, 4};
    good.type = kTypeNv12;
    good.aligned_bytes = 96 * 36;
    const auto message = [](const TensorProperties& p, const Preprocess& how) {
        Result<InputTensor> input = InputTensor::create(p, how, bpu::Nv12Range::full, "input");
        return input.ok() ? "" : input.error().message;
    };
    Preprocess how;
    CHECK(message(good, how) == "");
    TensorProperties p = good;
    p.aligned_bytes = 96 * 36 - 1;
    CHECK_THAT(message(p, how), contains("takes 3455 bytes, expected at least 3456"));
    p = good;
    p.aligned_shape.extents[3] = 93;
    CHECK_THAT(message(p, how), contains("does not hold"));
    p = good;
    p.aligned_shape.count = 3;
    CHECK_THAT(message(p, how), contains("does not hold"));
    p = good;
    p.valid_shape.extents[3] = 96;
    CHECK_THAT(message(p, how), contains("expected a picture of 94x24 pixels, found shape"));
    p = good;
    p.type = kTypeYuv444;
    CHECK_THAT(message(p, how), contains("YUV444"));
    how.order = ChannelOrder::gray;
    CHECK_THAT(message(good, how), contains("gray"));
    how = {};
    how.width = 93;
    CHECK_THAT(message(good, how), contains("odd"));
}

}  // namespace
}  // namespace lprnet::test
