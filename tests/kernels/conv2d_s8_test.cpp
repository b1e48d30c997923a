// Every table's convolution of levels with int8 weights against the reference: equal in every bit.
#include "kernels/conv2d_s8/conv2d_s8.h"

#include <cmath>

#include "tests/kernels/convolution.h"

namespace lprnet::test {
namespace {

using kernels::Conv2dS8;
using kernels::KernelTable;

enum class Fill { random, extreme };

void check(const KernelTable& table, const ConvCase& c, Fill fill = Fill::random) {
    INFO(describe(table, c));
    std::mt19937 random(c.seed());
    std::vector<int> input(c.input_size(), 255);
    if (fill == Fill::random) input = random_levels(random, c.input_size());
    std::vector<std::int8_t> weights(c.weights());
    std::vector<std::int32_t> bias(static_cast<std::size_t>(c.oc));
    std::vector<float> scale(static_cast<std::size_t>(c.oc));
    for (std::size_t i = 0; i < weights.size(); ++i) {
        // Extremes: all of one sign in a channel, so that any saturation on the way shows.
        const bool negative = i / c.taps() % 2 == 1;
        weights[i] = static_cast<std::int8_t>(
            fill == Fill::extreme ? (negative ? -128 : 127) : random_below(random, 256) - 128);
    }
    // Spreads the results over 0..255 and a little beyond.
    for (std::int32_t& b : bias) b = random_below(random, 20000) - 5000;
    for (float& s : scale) {
        s = fill == Fill::extreme ? 1e-6f
                                  : uniform(random, 0.2f, 2.0f) / std::sqrt(float(c.taps())) / 50;
    }

    const auto run = [&](const KernelTable& t) {
        GuardedFloats packed(kernels::packed_conv2d_s8_weights(t, c.oc, c.ic, c.kh, c.kw));
        GuardedFloats packed_scale(kernels::packed_conv2d_s8_bias(t, c.oc));
        std::vector<std::int32_t> packed_bias(kernels::packed_conv2d_s8_bias(t, c.oc));
        auto* words = reinterpret_cast<std::int32_t*>(packed.data());
        kernels::pack_conv2d_s8(t, {weights.data()}, bias.data(), scale.data(), c.oc, c.ic, c.kh,
                                c.kw, words, packed_bias.data(), packed_scale.data());
        CHECK(packed.guards_intact());
        CHECK(packed_scale.guards_intact());
        auto call = call_of<Conv2dS8>(c);
        call.weights = words;
        call.bias = packed_bias.data();
        call.scale = packed_scale.data();
        return conv_levels(t, c, input, [&](const void* in, void* out) {
            call.input = in;
            call.output = out;
            t.conv2d_s8(call);
        });
    };
    check_equal(run(table), run(reference_table()));
}

TEST_CASE("conv2d_s8 computes every convolution of LPRNet", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const auto& [c, algorithm] : lprnet_convolutions(*table)) check(*table, c);
    }
}

TEST_CASE("conv2d_s8 takes any extents and strides", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int ow = 1; ow <= 2 * table->lanes + 1; ++ow) check(*table, {2, ow, 5, 3, 1, 3});
        for (int ic = 1; ic <= 70; ++ic) check(*table, {2, 3, ic, 7, 2, 2});
        for (int oc = 1; oc <= 3 * table->lanes + 2; ++oc) {
            check(*table, {1, 13, 64, oc, 1, 1});
            check(*table, {2, 3, 3, oc, 3, 3, true, 5, 9});
        }
    }
}

TEST_CASE("conv2d_s8 does not saturate on the way", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        check(*table, {1, 13, 256, 68, 13, 1}, Fill::extreme);
        check(*table, {2, 5, 3, 6, 3, 3}, Fill::extreme);
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
        LevelsBuffer in(*table, 4), out(*table, kCount);
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

}  // namespace
}  // namespace lprnet::test
