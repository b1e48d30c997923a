// Every table's convolution against the reference table, with an error bound
// derived for each output from the magnitudes that were summed.
#include <string>

#include "engine/plan/plan.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "tests/kernels/tables.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

using kernels::Conv2dF32;
using kernels::KernelTable;

struct Case {
    int oh, ow, ic, oc, kh, kw;
    bool relu = true;
    int input_gap = 0;  // floats between the end of one input row and the next
    int output_gap = 0;
    std::size_t misalignment = 0;
};

enum class Fill { random, zeros, large, negative };

std::string describe(const KernelTable& table, const Case& c) {
    return std::string(table.name) + " " + std::to_string(c.oh) + "x" + std::to_string(c.ow) +
           " ic " + std::to_string(c.ic) + " oc " + std::to_string(c.oc) + " taps " +
           std::to_string(c.kh) + "x" + std::to_string(c.kw);
}

void check(const KernelTable& table, const Case& c, Fill fill = Fill::random) {
    INFO(describe(table, c));
    std::mt19937 random(static_cast<unsigned>(c.ow * 7 + c.ic * 31 + c.oc * 131 + c.kh));
    const auto value = [&](float low, float high) {
        switch (fill) {
            case Fill::zeros: return 0.0f;
            case Fill::large: return uniform(random, 0.0f, 1.0f) > 0.5f ? 3e4f : -3e4f;
            case Fill::negative: return -127.0f;
            case Fill::random: break;
        }
        return uniform(random, low, high);
    };
    const std::ptrdiff_t input_row = std::ptrdiff_t{c.ow + c.kw - 1} * c.ic + c.input_gap;
    const std::ptrdiff_t output_row = std::ptrdiff_t{c.ow} * c.oc + c.output_gap;
    const auto rows = static_cast<std::ptrdiff_t>(c.oh + c.kh - 1);
    GuardedFloats input(static_cast<std::size_t>(rows * input_row - c.input_gap), c.misalignment);
    input.fill([&] { return value(-1.0f, 1.0f); });
    // What lies between the rows is not the kernel's business.
    for (std::ptrdiff_t r = 0; r + 1 < rows; ++r) {
        for (std::ptrdiff_t g = 0; g < c.input_gap; ++g) {
            input[static_cast<std::size_t>((r + 1) * input_row - c.input_gap + g)] = NAN;
        }
    }
    const std::size_t taps = static_cast<std::size_t>(c.ic * c.kh * c.kw);
    std::vector<float> weights(static_cast<std::size_t>(c.oc) * taps);
    std::vector<float> bias(static_cast<std::size_t>(c.oc));
    for (float& w : weights) w = value(-0.5f, 0.5f);
    for (float& b : bias) b = value(-0.5f, 0.5f);

    const auto run = [&](const KernelTable& t, GuardedFloats& output, bool relu,
                         const std::vector<float>& w, const std::vector<float>& b, float* in) {
        GuardedFloats packed_weights(kernels::packed_conv2d_f32_weights(t, c.oc, c.ic, c.kh, c.kw));
        GuardedFloats packed_bias(kernels::packed_conv2d_f32_bias(t, c.oc));
        kernels::pack_conv2d_f32(t, {w.data()}, b.data(), c.oc, c.ic, c.kh, c.kw,
                                 packed_weights.data(), packed_bias.data());
        REQUIRE(packed_weights.guards_intact());
        REQUIRE(packed_bias.guards_intact());
        const Conv2dF32 call = {.input = in,
                                .input_row = input_row,
                                .weights = packed_weights.data(),
                                .bias = packed_bias.data(),
                                .output = output.data(),
                                .output_row = output_row,
                                .oh = c.oh,
                                .ow = c.ow,
                                .ic = c.ic,
                                .oc = c.oc,
                                .kh = c.kh,
                                .kw = c.kw,
                                .relu = relu};
        t.conv2d_f32(call);
    };
    const auto output_size = static_cast<std::size_t>(c.oh * output_row - c.output_gap);
    GuardedFloats found(output_size, c.misalignment);
    GuardedFloats expected(output_size);
    run(table, found, c.relu, weights, bias, input.data());
    run(reference_table(), expected, c.relu, weights, bias, input.data());
    CHECK(found.guards_intact());

    // The same convolution of absolute values gives each output's summed magnitude.
    GuardedFloats magnitude(output_size);
    std::vector<float> abs_weights = weights, abs_bias = bias;
    GuardedFloats abs_input(input.size());
    for (float& w : abs_weights) w = std::abs(w);
    for (float& b : abs_bias) b = std::abs(b);
    for (std::size_t i = 0; i < input.size(); ++i) abs_input[i] = std::abs(input[i]);
    run(reference_table(), magnitude, false, abs_weights, abs_bias, abs_input.data());

    std::size_t bad = 0;
    for (int y = 0; y < c.oh; ++y) {
        for (std::ptrdiff_t i = 0; i < std::ptrdiff_t{c.ow} * c.oc; ++i) {
            const auto at = static_cast<std::size_t>(y * output_row + i);
            const double error = std::abs(double{found[at]} - double{expected[at]});
            const double bound = sum_error_bound(taps + 1, double{magnitude[at]});
            if (!(error <= bound) && bad++ == 0) {
                FAIL_CHECK("output " << at << " is " << found[at] << ", expected " << expected[at]
                                     << " within " << bound);
            }
        }
        // Gaps between output rows must keep their canary.
        for (std::ptrdiff_t g = 0; y + 1 < c.oh && g < c.output_gap; ++g) {
            CHECK(std::isnan(
                found[static_cast<std::size_t>((y + 1) * output_row - c.output_gap + g)]));
        }
    }
    CHECK(bad == 0);
}

TEST_CASE("conv2d_f32 computes every convolution of LPRNet", "[kernels]") {
    const Model model = random_model({});
    for (const KernelTable* table : tables_under_test()) {
        const Result<Plan> plan = build_plan(model.data().graph, *table);
        REQUIRE(plan.ok());
        int convolutions = 0;
        for (const StepInfo& step : plan->info) {
            if (step.op != Op::conv2d) continue;
            ++convolutions;
            const ConvShape& s = step.conv_shape;
            check(*table, {s.oh, s.ow, s.ic, s.oc, s.kh, s.kw, step.name != "logits"});
            if (s.kw == 1) check(*table, {1, s.oh * s.ow, s.ic, s.oc, s.kh, 1});  // rows joined
        }
        CHECK(convolutions == 16);
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

}  // namespace
}  // namespace lprnet::test
