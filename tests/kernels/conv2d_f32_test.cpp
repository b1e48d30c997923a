// Every table's convolution against the reference table, with an error bound
// derived for each output from the magnitudes that were summed.
#include <array>

#include "tests/kernels/convolution.h"

namespace lprnet::test {
namespace {

using kernels::Conv2dF32;
using kernels::KernelTable;

enum class Fill { random, zeros, large, negative };

FloatConv filled(const ConvCase& c, Fill fill) {
    const auto draw = [fill](float most) {
        return [fill, most](std::mt19937& random) {
            switch (fill) {
                case Fill::zeros: return 0.0f;
                case Fill::large: return uniform(random, 0.0f, 1.0f) > 0.5f ? 3e4f : -3e4f;
                case Fill::negative: return -127.0f;
                case Fill::random: break;
            }
            return uniform(random, -most, most);
        };
    };
    return {c, draw(1.0f), draw(0.5f)};
}

void check(const KernelTable& table, FloatConv& conv, GuardedFloats& expected,
           GuardedFloats& magnitudes) {
    INFO(describe(table, conv.c));
    GuardedFloats found(conv.c.output_size(), conv.c.misalignment);
    conv.run(table, found);
    check_outputs(conv.c, found, expected, sum_bound(conv.c, magnitudes));
}

void check(const KernelTable& table, const ConvCase& c, Fill fill = Fill::random) {
    FloatConv conv = filled(c, fill);
    GuardedFloats expected = conv.expected(), magnitudes = conv.magnitudes();
    check(table, conv, expected, magnitudes);
}

TEST_CASE("conv2d_f32 computes every convolution of LPRNet", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const auto& [c, algorithm] : lprnet_convolutions(*table)) {
            FloatConv conv(c);
            GuardedFloats expected = conv.expected(), magnitudes = conv.magnitudes();
            check(*table, conv, expected, magnitudes);
            if (c.kw > 1) continue;
            // With all rows joined, which are the same numbers where none is read twice.
            const ConvCase joined = {1, c.oh * c.ow, c.ic, c.oc, c.kh, 1, c.relu};
            if (c.kh > 1) {
                check(*table, joined);
            } else {
                conv.c = joined;
                check(*table, conv, expected, magnitudes);
            }
        }
    }
}

TEST_CASE("conv2d_f32 takes any width", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int ow = 1; ow <= 2 * table->lanes + 1; ++ow) {
            check(*table, {2, ow, 5, 3, 1, 3});
            check(*table, {1, ow, 16, 32, 1, 1});
        }
    }
}

TEST_CASE("conv2d_f32 takes any number of channels", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        const int block = table->lanes * table->block_vectors;
        for (int oc = 1; oc <= 2 * block + 2; ++oc) check(*table, {2, 5, 4, oc, 3, 1});
        for (int ic = 1; ic <= 20; ++ic) check(*table, {2, 4, ic, block + 1, 2, 2});
    }
}

TEST_CASE("conv2d_f32 computes a few channels beyond whole vectors", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int rest = 1; rest < table->lanes; ++rest) {
            for (const int ow : {1, 5, 6, 13}) {
                check(*table, {2, ow, 2 * table->lanes, rest, 3, 1, true, 3, 5, 1});
                check(*table, {2, ow, table->lanes, 3 * table->lanes + rest, 2, 3, false});
            }
        }
    }
}

TEST_CASE("conv2d_f32 takes any kernel size", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int kh = 1; kh <= 5; ++kh) {
            for (int kw = 1; kw <= 5; ++kw) check(*table, {3, 7, 6, 20, kh, kw});
        }
        check(*table, {4, 18, 9, 17, 13, 1});
    }
}

TEST_CASE("conv2d_f32 honours row strides, alignment and the activation", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (std::size_t misalignment = 1; misalignment < 16; misalignment += 5) {
            check(*table, {3, 13, 8, 40, 3, 3, true, 7, 11, misalignment});
            check(*table, {3, 13, 8, 40, 3, 3, false, 7, 11, misalignment});
        }
    }
}

TEST_CASE("conv2d_f32 survives extreme values", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const Fill fill : {Fill::zeros, Fill::large, Fill::negative}) {
            check(*table, {4, 11, 33, 37, 3, 3, true}, fill);
            check(*table, {4, 11, 33, 37, 3, 3, false}, fill);
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
            const ConvCase c = {1, ow, ic, oc, kh, kw};
            const auto draw = [](std::mt19937& random) { return uniform(random, -2.0f, 2.0f); };
            FloatConv conv(c, draw, draw);
            const auto run = [&](const KernelTable& t) {
                PackedFloats packed(t, c, conv.weights, conv.bias, false);
                GuardedFloats out(c.output_size());
                auto call = call_of<Conv2dF32>(c);
                call.input = conv.input.data();
                call.weights = packed.weights.data();
                call.bias = packed.bias.data();
                call.output = out.data();
                call.relu = true;
                t.conv2d_f32_exact(call);
                CHECK(packed.weights.guards_intact());
                CHECK(out.guards_intact());
                return std::vector<float>(out.data(), out.data() + out.size());
            };
            CHECK(run(*table) == run(reference_table()));
        }
    }
}

}  // namespace
}  // namespace lprnet::test
