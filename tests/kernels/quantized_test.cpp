// Every table's kernels on quantized tensors against the reference: equal in every bit.
#include <array>
#include <cmath>

#include "engine/plan/plan.h"
#include "kernels/context_levels/context_levels.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/conv2d_levels_f32/conv2d_levels_f32.h"
#include "kernels/conv2d_s8/conv2d_s8.h"
#include "kernels/max_pool2d_levels/max_pool2d_levels.h"
#include "kernels/quantize_f32/quantize_f32.h"
#include "tests/kernels/quantized.h"
#include "tests/kernels/tables.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

using kernels::KernelTable;

int random_below(std::mt19937& random, int end) {
    return static_cast<int>(random() % static_cast<unsigned>(end));
}

// The elements of one run, whatever their size.
std::vector<int> values_of(const QuantizedBuffer& buffer) {
    std::vector<int> values(buffer.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = buffer.get(i);
    return values;
}

struct ConvCase {
    int oh, ow, ic, oc, kh, kw;
    int input_gap = 0;  // elements between the end of one input row and the next
    int output_gap = 0;
};

enum class Fill { random, extreme };

void check_conv(const KernelTable& table, const ConvCase& c, Fill fill = Fill::random) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " ic " << c.ic << " oc " << c.oc << " taps "
                    << c.kh << "x" << c.kw);
    std::mt19937 random(static_cast<unsigned>(c.ow * 7 + c.ic * 31 + c.oc * 131 + c.kh));
    const std::ptrdiff_t input_row = std::ptrdiff_t{c.ow + c.kw - 1} * c.ic + c.input_gap;
    const std::ptrdiff_t output_row = std::ptrdiff_t{c.ow} * c.oc + c.output_gap;
    const std::ptrdiff_t rows = c.oh + c.kh - 1;
    const auto input_size = static_cast<std::size_t>(rows * input_row - c.input_gap);
    const auto output_size = static_cast<std::size_t>(c.oh * output_row - c.output_gap);
    const auto taps = static_cast<std::size_t>(c.ic * c.kh * c.kw);
    std::vector<int> input(input_size);
    std::vector<std::int8_t> weights(static_cast<std::size_t>(c.oc) * taps);
    std::vector<std::int32_t> bias(static_cast<std::size_t>(c.oc));
    std::vector<float> scale(static_cast<std::size_t>(c.oc));
    for (int& q : input) q = fill == Fill::extreme ? 255 : random_below(random, 256);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        // Extremes: all of one sign in a channel, so that any saturation on the way shows.
        const bool negative = i / taps % 2 == 1;
        weights[i] = static_cast<std::int8_t>(
            fill == Fill::extreme ? (negative ? -128 : 127) : random_below(random, 256) - 128);
    }
    // Spreads the results over 0..255 and a little beyond.
    for (std::int32_t& b : bias) b = random_below(random, 20000) - 5000;
    for (float& s : scale) {
        s = fill == Fill::extreme ? 1e-6f
                                  : uniform(random, 0.2f, 2.0f) / std::sqrt(float(taps)) / 50;
    }

    const auto run = [&](const KernelTable& t) {
        QuantizedBuffer in(t, input_size), out(t, output_size);
        for (std::size_t i = 0; i < input_size; ++i) in.set(i, input[i]);
        GuardedFloats packed(kernels::packed_conv2d_s8_weights(t, c.oc, c.ic, c.kh, c.kw));
        GuardedFloats packed_scale(kernels::packed_conv2d_s8_bias(t, c.oc));
        std::vector<std::int32_t> packed_bias(kernels::packed_conv2d_s8_bias(t, c.oc));
        auto* words = reinterpret_cast<std::int32_t*>(packed.data());
        kernels::pack_conv2d_s8(t, {weights.data()}, bias.data(), scale.data(), c.oc, c.ic, c.kh,
                                c.kw, words, packed_bias.data(), packed_scale.data());
        CHECK(packed.guards_intact());
        CHECK(packed_scale.guards_intact());
        t.conv2d_s8({.input = in.data(),
                     .input_row = input_row,
                     .weights = words,
                     .bias = packed_bias.data(),
                     .scale = packed_scale.data(),
                     .output = out.data(),
                     .output_row = output_row,
                     .oh = c.oh,
                     .ow = c.ow,
                     .ic = c.ic,
                     .oc = c.oc,
                     .kh = c.kh,
                     .kw = c.kw});
        CHECK(out.guards_intact());
        for (int y = 0; y + 1 < c.oh; ++y) {
            for (int g = 0; g < c.output_gap; ++g) {
                const auto at = static_cast<std::size_t>((y + 1) * output_row - c.output_gap + g);
                CHECK(out.untouched(at));
                out.set(at, 0);
            }
        }
        return values_of(out);
    };
    const std::vector<int> found = run(table);
    const std::vector<int> expected = run(reference_table());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i] != expected[i]) {
            FAIL("output " << i << " is " << found[i] << ", expected " << expected[i]);
        }
    }
}

TEST_CASE("conv2d_s8 computes every convolution of LPRNet", "[kernels]") {
    const Model model = random_model({});
    for (const KernelTable* table : tables_under_test()) {
        const Result<Plan> plan = build_plan(model.data().graph, *table);
        REQUIRE(plan.ok());
        for (const StepInfo& step : plan->info) {
            if (step.op != Op::conv2d) continue;
            const ConvShape& s = step.conv_shape;
            check_conv(*table, {s.oh, s.ow, s.ic, s.oc, s.kh, s.kw});
        }
    }
}

TEST_CASE("conv2d_s8 takes any extents and strides", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int ow = 1; ow <= 2 * table->lanes + 1; ++ow) check_conv(*table, {2, ow, 5, 3, 1, 3});
        for (int ic = 1; ic <= 70; ++ic) check_conv(*table, {2, 3, ic, 7, 2, 2});
        for (int oc = 1; oc <= 3 * table->lanes + 2; ++oc) {
            check_conv(*table, {1, 13, 64, oc, 1, 1});
            check_conv(*table, {2, 3, 3, oc, 3, 3, 5, 9});
        }
    }
}

// Weights and biases of size 1 spread the sums over 0..255 and a little beyond.
void check_levels(const KernelTable& table, const ConvCase& c, float size = 1.0f) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " ic " << c.ic << " oc " << c.oc << " taps "
                    << c.kh << "x" << c.kw << ", weights of " << size);
    std::mt19937 random(static_cast<unsigned>(c.ow * 7 + c.ic * 31 + c.oc * 131 + c.kh));
    const std::ptrdiff_t input_row = std::ptrdiff_t{c.ow + c.kw - 1} * c.ic + c.input_gap;
    const std::ptrdiff_t output_row = std::ptrdiff_t{c.ow} * c.oc + c.output_gap;
    const std::ptrdiff_t rows = c.oh + c.kh - 1;
    const auto input_size = static_cast<std::size_t>(rows * input_row - c.input_gap);
    const auto output_size = static_cast<std::size_t>(c.oh * output_row - c.output_gap);
    const auto taps = static_cast<std::size_t>(c.ic * c.kh * c.kw);
    std::vector<int> input(input_size);
    std::vector<float> weights(static_cast<std::size_t>(c.oc) * taps);
    std::vector<float> bias(static_cast<std::size_t>(c.oc));
    for (int& q : input) q = random_below(random, 256);
    const float largest = size / std::sqrt(float(taps));
    for (float& w : weights) w = largest * uniform(random, -1.0f, 1.0f);
    for (float& b : bias) b = size * uniform(random, -50.0f, 300.0f);

    const auto run = [&](const KernelTable& t) {
        QuantizedBuffer in(t, input_size), out(t, output_size);
        for (std::size_t i = 0; i < input_size; ++i) in.set(i, input[i]);
        GuardedFloats packed(kernels::packed_conv2d_f32_weights(t, c.oc, c.ic, c.kh, c.kw, false));
        GuardedFloats packed_bias(kernels::packed_conv2d_f32_bias(t, c.oc));
        kernels::pack_conv2d_f32(t, {weights.data()}, bias.data(), c.oc, c.ic, c.kh, c.kw,
                                 packed.data(), packed_bias.data(), false);
        t.conv2d_levels_f32({.input = in.data(),
                             .input_row = input_row,
                             .weights = packed.data(),
                             .bias = packed_bias.data(),
                             .output = out.data(),
                             .output_row = output_row,
                             .oh = c.oh,
                             .ow = c.ow,
                             .ic = c.ic,
                             .oc = c.oc,
                             .kh = c.kh,
                             .kw = c.kw});
        CHECK(packed.guards_intact());
        CHECK(packed_bias.guards_intact());
        CHECK(out.guards_intact());
        for (int y = 0; y + 1 < c.oh; ++y) {
            for (int g = 0; g < c.output_gap; ++g) {
                const auto at = static_cast<std::size_t>((y + 1) * output_row - c.output_gap + g);
                CHECK(out.untouched(at));
                out.set(at, 0);
            }
        }
        return values_of(out);
    };
    CHECK(run(table) == run(reference_table()));
}

TEST_CASE("conv2d_levels_f32 computes every convolution of LPRNet", "[kernels]") {
    const Model model = random_model({});
    for (const KernelTable* table : tables_under_test()) {
        const Result<Plan> plan = build_plan(model.data().graph, *table);
        REQUIRE(plan.ok());
        for (const StepInfo& step : plan->info) {
            if (step.op != Op::conv2d) continue;
            const ConvShape& s = step.conv_shape;
            check_levels(*table, {s.oh, s.ow, s.ic, s.oc, s.kh, s.kw});
        }
    }
}

TEST_CASE("conv2d_levels_f32 takes any extents, strides and sizes", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int ow = 1; ow <= 2 * table->lanes + 1; ++ow) {
            check_levels(*table, {2, ow, 5, 3, 1, 3});
        }
        for (int ic = 1; ic <= 70; ++ic) check_levels(*table, {2, 3, ic, 7, 2, 2});
        for (int oc = 1; oc <= 3 * table->lanes + 2; ++oc) {
            check_levels(*table, {1, 13, 64, oc, 1, 1});
            check_levels(*table, {2, 3, 3, oc, 3, 3, 5, 9});
        }
        for (const float size : {1e-44f, 1e-6f, 1e10f, 1e33f}) {
            check_levels(*table, {2, 7, 9, 37, 3, 1}, size);
        }
    }
}

TEST_CASE("conv2d_levels_f32 rounds to the nearest, ties to even, and saturates", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        INFO(table->name);
        // One input channel of weight 0 and many output channels with a sum of their own.
        const float sums[] = {-3e38f, -1.0f,  -0.5f,  -0.0f,  0.5f,   0.51f, 1.5f,
                              2.5f,   253.5f, 254.5f, 255.4f, 255.5f, 3e9f,  3e38f};
        const int expected[] = {0, 0, 0, 0, 0, 1, 2, 2, 254, 254, 255, 255, 255, 255};
        constexpr int kCount = static_cast<int>(std::size(sums));
        GuardedFloats packed(kernels::packed_conv2d_f32_weights(*table, kCount, 1, 1, 1, false));
        GuardedFloats bias(kernels::packed_conv2d_f32_bias(*table, kCount));
        const std::vector<float> zeros(kCount, 0.0f);
        kernels::pack_conv2d_f32(*table, {zeros.data()}, sums, kCount, 1, 1, 1, packed.data(),
                                 bias.data(), false);
        QuantizedBuffer in(*table, 1), out(*table, kCount);
        in.set(0, 9);
        table->conv2d_levels_f32({.input = in.data(),
                                  .input_row = 1,
                                  .weights = packed.data(),
                                  .bias = bias.data(),
                                  .output = out.data(),
                                  .output_row = kCount,
                                  .oh = 1,
                                  .ow = 1,
                                  .ic = 1,
                                  .oc = kCount,
                                  .kh = 1,
                                  .kw = 1});
        for (std::size_t i = 0; i < std::size(sums); ++i) {
            INFO("sum " << sums[i]);
            CHECK(out.get(i) == expected[i]);
        }
    }
}

TEST_CASE("conv2d_s8 does not saturate on the way", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        check_conv(*table, {1, 13, 256, 68, 13, 1}, Fill::extreme);
        check_conv(*table, {2, 5, 3, 6, 3, 3}, Fill::extreme);
    }
}

TEST_CASE("conv2d_s8 rounds to the nearest, ties to even, and saturates", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        INFO(table->name);
        // One input channel of weight 1 and many output channels with a sum of their own.
        const std::int32_t sums[] = {-2000000000, -1, 0,   1,    2,    3,   5,          7,
                                     8,           9,  508, 509,  510,  511, 512,        513,
                                     16777217,    11, 255, 2147, 1000, 100, 2000000000, 6};
        constexpr int kCount = static_cast<int>(std::size(sums));
        const std::vector<float> scale(kCount, 0.5f);
        const auto words = kernels::packed_conv2d_s8_weights(*table, kCount, 4, 1, 1);
        GuardedFloats packed(words);
        GuardedFloats packed_scale(kernels::packed_conv2d_s8_bias(*table, kCount));
        std::vector<std::int32_t> bias(kernels::packed_conv2d_s8_bias(*table, kCount));
        const std::vector<std::int8_t> zeros(4 * kCount, 0);
        kernels::pack_conv2d_s8(*table, {zeros.data()}, sums, scale.data(), kCount, 4, 1, 1,
                                reinterpret_cast<std::int32_t*>(packed.data()), bias.data(),
                                packed_scale.data());
        QuantizedBuffer in(*table, 4), out(*table, kCount);
        for (std::size_t i = 0; i < 4; ++i) in.set(i, 9);
        table->conv2d_s8({.input = in.data(),
                          .input_row = 4,
                          .weights = reinterpret_cast<const std::int32_t*>(packed.data()),
                          .bias = bias.data(),
                          .scale = packed_scale.data(),
                          .output = out.data(),
                          .output_row = kCount,
                          .oh = 1,
                          .ow = 1,
                          .ic = 4,
                          .oc = kCount,
                          .kh = 1,
                          .kw = 1});
        const int expected[] = {0,   0,   0,   0,   1,   2, 2,   4,   4,   4,  254, 254,
                                255, 255, 255, 255, 255, 6, 128, 255, 255, 50, 255, 3};
        for (std::size_t i = 0; i < std::size(expected); ++i) {
            INFO("sum " << sums[i]);
            CHECK(out.get(i) == expected[i]);
        }
    }
}

void check_pool(const KernelTable& table, const kernels::MaxPool2dLevels& shape) {
    INFO(table.name << " " << shape.oh << "x" << shape.ow << " ic " << shape.ic << " oc "
                    << shape.oc);
    std::mt19937 random(static_cast<unsigned>(shape.ow * 7 + shape.ic));
    const std::ptrdiff_t iw = (shape.ow - 1) * shape.stride_w + shape.kw;
    const std::ptrdiff_t ih = (shape.oh - 1) * shape.stride_h + shape.kh;
    std::vector<int> input(static_cast<std::size_t>(ih * iw * shape.ic));
    for (int& q : input) q = random_below(random, 256);
    const auto run = [&](const KernelTable& t) {
        QuantizedBuffer in(t, input.size());
        QuantizedBuffer out(t, static_cast<std::size_t>(shape.oh * shape.ow * shape.oc));
        for (std::size_t i = 0; i < input.size(); ++i) in.set(i, input[i]);
        kernels::MaxPool2dLevels call = shape;
        call.input = in.data();
        call.input_row = iw * shape.ic;
        call.output = out.data();
        call.output_row = std::ptrdiff_t{shape.ow} * shape.oc;
        t.max_pool2d_levels(call);
        CHECK(out.guards_intact());
        return values_of(out);
    };
    CHECK(run(table) == run(reference_table()));
}

TEST_CASE("max_pool2d_levels is the maximum of its window", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const int oc : {1, 3, 16, 64, 67, 128, 200}) {
            for (const int stride : {1, 2}) {
                kernels::MaxPool2dLevels shape = {};
                shape.oh = 4;
                shape.ow = 9;
                shape.ic = oc + 2;
                shape.oc = oc;
                shape.kh = shape.kw = 3;
                shape.stride_h = 1;
                shape.stride_w = stride;
                shape.channel_stride = 1;
                check_pool(*table, shape);
                shape.kw = 2;
                shape.stride_h = 2;
                check_pool(*table, shape);
                shape.ic = 2 * oc;
                shape.channel_stride = 2;
                check_pool(*table, shape);
            }
        }
    }
}

struct TapCase {
    int oh, ow, channels, kh, kw, stride_h, stride_w;
};

// With `factors` some channels have larger steps than others.
void check_tap(const KernelTable& table, const TapCase& c, int fixed = -1, bool factors = false) {
    INFO(table.name << " channels " << c.channels << " window " << c.kh << "x" << c.kw);
    std::mt19937 random(static_cast<unsigned>(c.ow * 7 + c.channels));
    const std::ptrdiff_t iw = (c.ow - 1) * c.stride_w + c.kw;
    const std::ptrdiff_t ih = (c.oh - 1) * c.stride_h + c.kh;
    std::vector<int> input(static_cast<std::size_t>(ih * iw * c.channels));
    for (int& q : input) q = fixed >= 0 ? fixed : random_below(random, 256);
    std::vector<std::uint32_t> square_factors;
    std::vector<float> channel_factors;
    for (int i = 0; i < c.channels; ++i) {
        const int exponent = fixed >= 0 ? 8 : random_below(random, 9);
        square_factors.push_back(1U << (2 * exponent));
        channel_factors.push_back(std::ldexp(1.0f, exponent - 8));
    }
    const auto run = [&](const KernelTable& t) {
        QuantizedBuffer in(t, input.size());
        for (std::size_t i = 0; i < input.size(); ++i) in.set(i, input[i]);
        const std::ptrdiff_t column = c.channels + 3;
        std::vector<std::int32_t> sums(static_cast<std::size_t>(column * c.ow), -7);
        std::int64_t squares[2] = {-1, -1};
        // In two calls, as two threads would.
        const int first = c.channels / 2;
        kernels::ContextTapLevels call = {
            .input = in.data(),
            .input_row = iw * c.channels,
            .sums = sums.data(),
            .sums_column = column,
            .squares = &squares[0],
            .oh = c.oh,
            .ow = c.ow,
            .channels = c.channels,
            .channels_used = first,
            .kh = c.kh,
            .kw = c.kw,
            .stride_h = c.stride_h,
            .stride_w = c.stride_w,
            .square_factors = factors ? square_factors.data() : nullptr};
        t.context_tap_levels(call);
        call.input = static_cast<char*>(in.data()) + first * t.levels.bytes;
        call.sums += first;
        call.squares = &squares[1];
        if (factors) call.square_factors += first;
        call.channels_used = c.channels - first;
        t.context_tap_levels(call);
        for (int x = 0; x < c.ow; ++x) {
            for (int gap = 0; gap < 3; ++gap) {
                CHECK(sums[static_cast<std::size_t>(x * column + c.channels + gap)] == -7);
            }
        }
        const kernels::ContextScaleLevels scale = {
            .data = sums.data(),
            .column = column,
            .squares = squares,
            .ow = c.ow,
            .branches = 1,
            .channels = {c.channels},
            .parts = {2},
            .factors = {12345.678},
            .channel_factors = {factors ? channel_factors.data() : nullptr}};
        std::vector<std::int32_t> before = sums;
        t.context_scale_levels(scale);
        // Float bits, so that equality is that of every bit.
        before.insert(before.end(), sums.begin(), sums.end());
        before.push_back(static_cast<std::int32_t>((squares[0] + squares[1]) % 1000000007));
        return before;
    };
    CHECK(run(table) == run(reference_table()));
}

TEST_CASE("context_tap_levels and context_scale_levels are exact", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const bool factors : {false, true}) {
            check_tap(*table, {4, 18, 64, 5, 5, 5, 5}, -1, factors);
            check_tap(*table, {4, 18, 128, 5, 5, 5, 5}, -1, factors);
            check_tap(*table, {4, 18, 256, 4, 10, 4, 2}, -1, factors);
            check_tap(*table, {4, 18, 68, 1, 1, 1, 1}, -1, factors);
            check_tap(*table, {3, 7, 37, 3, 4, 2, 3}, -1, factors);
            check_tap(*table, {2, 3, 5, 8, 16, 1, 1}, 255, factors);
            check_tap(*table, {2, 3, 70, 4, 10, 4, 2}, 0, factors);
        }
    }
}

TEST_CASE("conv2d_f32_exact has the same bits in every table", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const auto& [ow, ic, oc, kh, kw] : {std::array{18, 516, 68, 1, 1},
                                                 {7, 33, 37, 1, 1},
                                                 {5, 16, 20, 3, 3},
                                                 {3, 64, 4, 13, 1}}) {
            INFO(table->name << " oc " << oc);
            std::mt19937 random(5);
            std::vector<float> input(static_cast<std::size_t>(kh * (ow + kw - 1) * ic));
            std::vector<float> weights(static_cast<std::size_t>(oc * ic * kh * kw));
            std::vector<float> bias(static_cast<std::size_t>(oc));
            for (float& v : input) v = uniform(random, -2.0f, 2.0f);
            for (float& v : weights) v = uniform(random, -2.0f, 2.0f);
            for (float& v : bias) v = uniform(random, -2.0f, 2.0f);
            const auto run = [&, ow = ow, ic = ic, oc = oc, kh = kh,
                              kw = kw](const KernelTable& t) {
                GuardedFloats packed(kernels::packed_conv2d_f32_weights(t, oc, ic, kh, kw, false));
                GuardedFloats packed_bias(kernels::packed_conv2d_f32_bias(t, oc));
                kernels::pack_conv2d_f32(t, {weights.data()}, bias.data(), oc, ic, kh, kw,
                                         packed.data(), packed_bias.data(), false);
                GuardedFloats out(static_cast<std::size_t>(ow * oc));
                t.conv2d_f32_exact({.input = input.data(),
                                    .input_row = std::ptrdiff_t{ow + kw - 1} * ic,
                                    .weights = packed.data(),
                                    .bias = packed_bias.data(),
                                    .output = out.data(),
                                    .output_row = std::ptrdiff_t{ow} * oc,
                                    .oh = 1,
                                    .ow = ow,
                                    .ic = ic,
                                    .oc = oc,
                                    .kh = kh,
                                    .kw = kw,
                                    .relu = true});
                CHECK(packed.guards_intact());
                CHECK(out.guards_intact());
                return std::vector<float>(out.data(), out.data() + out.size());
            };
            CHECK(run(*table) == run(reference_table()));
        }
    }
}

}  // namespace
}  // namespace lprnet::test
