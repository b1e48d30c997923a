// Every table's convolution of levels with float32 weights against the reference: equal in every
// bit.
#include "kernels/conv2d_levels_f32/conv2d_levels_f32.h"

#include <cmath>

#include "tests/kernels/convolution.h"

namespace lprnet::test {
namespace {

using kernels::Conv2dLevelsF32;
using kernels::KernelTable;

// Weights and biases of size 1 spread the sums over 0..255 and a little beyond.
void check(const KernelTable& table, const ConvCase& c, float size = 1.0f) {
    INFO(describe(table, c) << ", weights of " << size);
    std::mt19937 random(c.seed());
    const std::vector<int> input = random_levels(random, c.input_size());
    std::vector<float> weights(c.weights()), bias(static_cast<std::size_t>(c.oc));
    const float largest = size / std::sqrt(float(c.taps()));
    for (float& w : weights) w = largest * uniform(random, -1.0f, 1.0f);
    for (float& b : bias) b = size * uniform(random, -50.0f, 300.0f);

    const auto run = [&](const KernelTable& t) {
        PackedFloats packed(t, c, weights, bias, false);
        auto call = call_of<Conv2dLevelsF32>(c);
        call.weights = packed.weights.data();
        call.bias = packed.bias.data();
        std::vector<int> found = conv_levels(t, c, input, [&](const void* in, void* out) {
            call.input = in;
            call.output = out;
            t.conv2d_levels_f32(call);
        });
        CHECK(packed.weights.guards_intact());
        CHECK(packed.bias.guards_intact());
        return found;
    };
    CHECK(run(table) == run(reference_table()));
}

TEST_CASE("conv2d_levels_f32 computes every convolution of LPRNet", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const auto& [c, algorithm] : lprnet_convolutions(*table)) check(*table, c);
    }
}

TEST_CASE("conv2d_levels_f32 takes any extents, strides and sizes", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int ow = 1; ow <= 2 * table->lanes + 1; ++ow) {
            check(*table, {2, ow, 5, 3, 1, 3});
        }
        for (int ic = 1; ic <= 70; ++ic) check(*table, {2, 3, ic, 7, 2, 2});
        for (int oc = 1; oc <= 3 * table->lanes + 2; ++oc) {
            check(*table, {1, 13, 64, oc, 1, 1});
            check(*table, {2, 3, 3, oc, 3, 3, true, 5, 9});
        }
        for (const float size : {1e-44f, 1e-6f, 1e10f, 1e33f}) {
            check(*table, {2, 7, 9, 37, 3, 1}, size);
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
        LevelsBuffer in(*table, 1), out(*table, kCount);
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

}  // namespace
}  // namespace lprnet::test
