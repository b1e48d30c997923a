// Every table's sparse convolution against the reference table's dense one, with an error bound
// derived for each output from the magnitudes that were summed.
#include <functional>
#include <string>

#include "engine/plan/plan.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/conv2d_sparse_f32/conv2d_sparse_f32.h"
#include "tests/kernels/tables.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

using kernels::Conv2dSparseF32;
using kernels::KernelTable;

struct Case {
    int oh, ow, ic, oc, kh, kw;
    double zeros = 0.35;  // share of the weights
    bool relu = true;
    int gap = 0;  // floats between the end of one row and the next
    std::size_t misalignment = 0;
};

// Whether weight i of output channel o is kept, as an alternative to a share of zeros.
using Keep = std::function<bool(int o, int i)>;

struct Problem {
    Problem(const Case& c, const Keep& keep)
        : taps(c.ic * c.kh * c.kw),
          input_row(std::ptrdiff_t{c.ow + c.kw - 1} * c.ic + c.gap),
          output_row(std::ptrdiff_t{c.ow} * c.oc + c.gap),
          output_size(static_cast<std::size_t>(c.oh * output_row - c.gap)),
          input(static_cast<std::size_t>((c.oh + c.kh - 1) * input_row - c.gap), c.misalignment),
          weights(static_cast<std::size_t>(c.oc * taps)),
          bias(static_cast<std::size_t>(c.oc)) {
        std::mt19937 random(static_cast<unsigned>(c.ow * 7 + c.ic * 31 + c.oc * 131 + c.kh));
        input.fill([&] { return uniform(random, -1.0f, 1.0f); });
        // What lies between the rows is not the kernel's business.
        for (std::ptrdiff_t r = 1; r < c.oh + c.kh - 1; ++r) {
            for (std::ptrdiff_t g = 1; g <= c.gap; ++g) {
                input[static_cast<std::size_t>(r * input_row - g)] = NAN;
            }
        }
        for (int o = 0; o < c.oc; ++o) {
            for (int i = 0; i < taps; ++i) {
                const float weight = uniform(random, -0.5f, 0.5f);
                const bool kept = double{uniform(random, 0.0f, 1.0f)} >= c.zeros;
                weights[static_cast<std::size_t>(o * taps + i)] =
                    (keep ? keep(o, i) : kept) ? weight : 0.0f;
            }
        }
        for (float& b : bias) b = uniform(random, -0.5f, 0.5f);
    }

    int taps;
    std::ptrdiff_t input_row, output_row;
    std::size_t output_size;
    GuardedFloats input;
    std::vector<float> weights, bias;
};

// The dense convolution, of absolute values if `magnitude`.
void run_dense(const Case& c, Problem& problem, bool magnitude, GuardedFloats& output) {
    const KernelTable& t = reference_table();
    std::vector<float> w = problem.weights, b = problem.bias;
    GuardedFloats input(problem.input.size());
    for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] = magnitude ? std::abs(problem.input[i]) : problem.input[i];
    }
    if (magnitude) {
        for (float& value : w) value = std::abs(value);
        for (float& value : b) value = std::abs(value);
    }
    GuardedFloats weights(kernels::packed_conv2d_f32_weights(t, c.oc, c.ic, c.kh, c.kw));
    GuardedFloats bias(kernels::packed_conv2d_f32_bias(t, c.oc));
    kernels::pack_conv2d_f32(t, {w.data()}, b.data(), c.oc, c.ic, c.kh, c.kw, weights.data(),
                             bias.data());
    t.conv2d_f32({.input = input.data(),
                  .input_row = problem.input_row,
                  .weights = weights.data(),
                  .bias = bias.data(),
                  .output = output.data(),
                  .output_row = problem.output_row,
                  .oh = c.oh,
                  .ow = c.ow,
                  .ic = c.ic,
                  .oc = c.oc,
                  .kh = c.kh,
                  .kw = c.kw,
                  .relu = c.relu && !magnitude});
}

// The packed weights, bias and scratch memory of one table, and the call without its pointers
// to input and output.
struct Packed {
    Packed(const KernelTable& t, const Case& c, const Problem& problem)
        : Packed(
              t, c, problem,
              kernels::packed_conv2d_sparse_f32({problem.weights.data()}, c.oc, c.ic, c.kh, c.kw)) {
    }

    Packed(const KernelTable& t, const Case& c, const Problem& problem,
           const kernels::SparseSize& size)
        : weights(size.weights),
          lists(size.lists + 1, kCanary),
          bias(kernels::packed_conv2d_f32_bias(t, c.oc)),
          scratch(kernels::conv2d_sparse_f32_scratch(t, c.oc, c.ic, c.kh, c.kw)) {
        kernels::pack_conv2d_sparse_f32(t, {problem.weights.data()}, problem.bias.data(), c.oc,
                                        c.ic, c.kh, c.kw, weights.data(), lists.data(),
                                        bias.data());
        call = {.input = nullptr,
                .input_row = problem.input_row,
                .weights = weights.data(),
                .lists = lists.data(),
                .bias = bias.data(),
                .output = nullptr,
                .output_row = problem.output_row,
                .oh = c.oh,
                .ow = c.ow,
                .ic = c.ic,
                .oc = c.oc,
                .kh = c.kh,
                .kw = c.kw,
                .relu = c.relu,
                .input_panels = false,
                .output_panels = false,
                .first_pixel = 0,
                .pixels = c.oh * c.ow,
                .scratch = scratch.data()};
    }

    void check_guards() const {
        CHECK(weights.guards_intact());
        CHECK(lists.back() == kCanary);
        CHECK(bias.guards_intact());
        CHECK(scratch.guards_intact());
    }

    static constexpr std::uint16_t kCanary = 54321;
    GuardedFloats weights;
    std::vector<std::uint16_t> lists;
    GuardedFloats bias, scratch;
    Conv2dSparseF32 call;
};

// NaN where it is NaN, or else the same number.
void check_same(GuardedFloats& found, GuardedFloats& expected) {
    for (std::size_t at = 0; at < found.size(); ++at) {
        if (std::isnan(expected[at]) ? !std::isnan(found[at]) : found[at] != expected[at]) {
            FAIL("output " << at << " is " << found[at] << ", not " << expected[at]);
        }
    }
}

void check(const KernelTable& table, const Case& c, const Keep& keep = nullptr) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " ic " << c.ic << " oc " << c.oc << " taps "
                    << c.kh << "x" << c.kw << " zeros " << c.zeros);
    Problem problem(c, keep);
    GuardedFloats expected(problem.output_size), magnitude(problem.output_size);
    run_dense(c, problem, false, expected);
    run_dense(c, problem, true, magnitude);

    Packed packed(table, c, problem);
    const auto nonzero = static_cast<std::size_t>(std::count_if(
        problem.weights.begin(), problem.weights.end(), [](float w) { return w != 0.0f; }));
    CHECK(packed.weights.size() == nonzero);
    GuardedFloats found(problem.output_size, c.misalignment);
    packed.call.input = problem.input.data();
    packed.call.output = found.data();
    table.conv2d_sparse_f32(packed.call);
    CHECK(found.guards_intact());
    packed.check_guards();
    for (std::size_t at = 0; at < found.size(); ++at) {
        if (static_cast<std::ptrdiff_t>(at) % problem.output_row >= std::ptrdiff_t{c.ow} * c.oc) {
            if (!std::isnan(found[at])) FAIL("the gap between rows was written at " << at);
            continue;
        }
        const double bound =
            sum_error_bound(static_cast<std::size_t>(problem.taps) + 1, double{magnitude[at]});
        if (!(std::abs(double{found[at]} - double{expected[at]}) <= bound)) {
            FAIL("output " << at << " is " << found[at] << ", expected " << expected[at]
                           << " within " << bound);
        }
    }

    // A call for part of the pixels writes exactly what the call for all of them does.
    GuardedFloats in_parts(problem.output_size);
    packed.call.output = in_parts.data();
    const int step = 1 + c.oh * c.ow / 3;
    for (packed.call.first_pixel = 0; packed.call.first_pixel < c.oh * c.ow;
         packed.call.first_pixel += step) {
        packed.call.pixels = std::min(step, c.oh * c.ow - packed.call.first_pixel);
        table.conv2d_sparse_f32(packed.call);
    }
    check_same(in_parts, found);
}

TEST_CASE("conv2d_sparse_f32 computes every convolution of LPRNet", "[kernels]") {
    const Model model = random_model({});
    for (const KernelTable* table : tables_under_test()) {
        const Result<Plan> plan = build_plan(model.data().graph, *table);
        REQUIRE(plan.ok());
        int convolutions = 0;
        for (const StepInfo& step : plan->info) {
            if (step.op != Op::conv2d) continue;
            ++convolutions;
            const ConvShape& s = step.conv_shape;
            check(*table, {s.oh, s.ow, s.ic, s.oc, s.kh, s.kw});
        }
        CHECK(convolutions == 16);
    }
}

TEST_CASE("conv2d_sparse_f32 takes any share of zeros", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const double zeros : {0.0, 0.01, 0.35, 0.7, 0.99, 1.0}) {
            check(*table, {3, 11, 64, 20, 1, 1, zeros});
            check(*table, {3, 11, 24, 20, 3, 2, zeros});
            check(*table, {2, 5, 80, 9, 3, 1, zeros, false});
        }
    }
}

TEST_CASE("conv2d_sparse_f32 takes channels, groups and inputs without weights", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        const Case c = {3, 9, 72, 24, 1, 1};
        check(*table, c, [](int o, int) { return o % 3 != 1; });           // empty channels
        check(*table, c, [](int o, int) { return o / 4 % 2 == 1; });       // empty groups
        check(*table, c, [](int, int i) { return i % 5 == 0; });           // empty inputs
        check(*table, c, [](int, int i) { return i < 64; });               // an empty part
        check(*table, c, [](int o, int i) { return o == 7 && i == 70; });  // a single weight
        check(*table, c, [](int o, int i) { return o == 23 && i == 0; });
        // Every pattern, once and as the only one.
        check(*table, c, [](int o, int i) { return kernels::sparse_pattern_has(i % 16, o % 4); });
        for (int p = 1; p <= kernels::kSparsePatterns; ++p) {
            check(*table, {1, 5, 70, 4, 1, 1},
                  [p](int o, int) { return kernels::sparse_pattern_has(p, o); });
        }
    }
}

TEST_CASE("conv2d_sparse_f32 takes any number of pixels", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int ow = 1; ow <= 2 * table->lanes + 1; ++ow) {
            check(*table, {2, ow, 5, 3, 1, 3});
            check(*table, {1, ow, 16, 32, 1, 1});
        }
        for (const int rest : {-1, 0, 1}) {
            check(*table, {1, table->sparse_pixels + rest + 1, 17, 18, 1, 1});
            check(*table, {2, table->sparse_pixels + rest + 1, 8, 4, 1, 1});
        }
    }
}

TEST_CASE("conv2d_sparse_f32 takes any number of channels", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int oc = 1; oc <= 2 * table->lanes + 1; ++oc) {
            check(*table, {2, 5, 4, oc, 3, 1});
            check(*table, {2, 5, 67, oc, 1, 1});
        }
        for (int ic = 1; ic <= 2 * table->lanes + 1; ++ic) check(*table, {2, 4, ic, 9, 2, 2});
        for (const int ic : {63, 64, 65, 127, 128, 129}) check(*table, {2, 4, ic, 9, 1, 1});
        for (const int oc : {64, 65, 80, 96, 97, 100}) {  // stored in pairs of lines beyond 64
            check(*table, {2, 9, 4, oc, 1, 1});
            check(*table, {2, 9, 65, oc, 1, 1});
        }
    }
}

TEST_CASE("conv2d_sparse_f32 honours row strides, alignment and the activation", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (std::size_t misalignment = 1; misalignment < 16; misalignment += 5) {
            check(*table, {3, 13, 8, 40, 3, 3, 0.5, true, 7, misalignment});
            check(*table, {3, 13, 8, 40, 3, 3, 0.5, false, 7, misalignment});
            check(*table, {3, 13, 96, 40, 1, 1, 0.5, false, 7, misalignment});
        }
    }
}

// Where panels of `channels` hold a pixel's channel.
std::size_t panel_at(const KernelTable& table, int channels, int pixel, int channel) {
    const int block = pixel / table.sparse_pixels, in_block = pixel % table.sparse_pixels;
    return static_cast<std::size_t>((block * channels + channel) * table.sparse_pixels + in_block);
}

// Between two convolutions panels hold what NHWC would.
void check_chain(const KernelTable& table, int pixels, int ic, int middle, int oc) {
    INFO(table.name << " " << pixels << " pixels, " << ic << " " << middle << " " << oc);
    const Case first_case = {1, pixels, ic, middle, 1, 1};
    const Case second_case = {1, pixels, middle, oc, 1, 1};
    Problem first_problem(first_case, nullptr), second_problem(second_case, nullptr);
    Packed first(table, first_case, first_problem), second(table, second_case, second_problem);
    GuardedFloats nhwc(first_problem.output_size);
    GuardedFloats panels(kernels::sparse_panels(table, middle, pixels));
    GuardedFloats expected(second_problem.output_size), found(second_problem.output_size);

    first.call.input = first_problem.input.data();
    first.call.output = nhwc.data();
    table.conv2d_sparse_f32(first.call);
    second.call.input = nhwc.data();
    second.call.output = expected.data();
    table.conv2d_sparse_f32(second.call);

    first.call.output = panels.data();
    first.call.output_panels = second.call.input_panels = true;
    second.call.input = panels.data();
    second.call.output = found.data();
    for (Conv2dSparseF32* call : {&first.call, &second.call}) {
        for (int at = 0; at < pixels; at += table.sparse_pixels) {
            call->first_pixel = at;
            call->pixels = std::min(table.sparse_pixels, pixels - at);
            table.conv2d_sparse_f32(*call);
        }
    }
    CHECK(panels.guards_intact());
    CHECK(found.guards_intact());
    check_same(found, expected);

    // Both at once, and in one call.
    GuardedFloats panels_out(kernels::sparse_panels(table, oc, pixels));
    second.call.output = panels_out.data();
    second.call.output_panels = true;
    second.call.first_pixel = 0;
    second.call.pixels = pixels;
    table.conv2d_sparse_f32(second.call);
    CHECK(panels_out.guards_intact());
    for (int p = 0; p < pixels; ++p) {
        for (int o = 0; o < oc; ++o) {
            const std::size_t at = panel_at(table, oc, p, o);
            if (panels_out[at] != expected[static_cast<std::size_t>(p * oc + o)]) {
                FAIL("pixel " << p << " channel " << o << " is " << panels_out[at]);
            }
        }
    }
}

// A convolution with several taps pads panels itself, as zeros around NHWC would.
void check_padded_panels(const KernelTable& table, const Case& c) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " ic " << c.ic << " oc " << c.oc << " taps "
                    << c.kh << "x" << c.kw);
    Problem problem(c, nullptr);
    const int pad_h = (c.kh - 1) / 2, pad_w = (c.kw - 1) / 2, pixels = c.oh * c.ow;
    for (int y = 0; y < c.oh + 2 * pad_h; ++y) {
        for (int x = 0; x < c.ow + 2 * pad_w; ++x) {
            if (y >= pad_h && y < c.oh + pad_h && x >= pad_w && x < c.ow + pad_w) continue;
            for (int i = 0; i < c.ic; ++i) {
                problem.input[static_cast<std::size_t>(y * problem.input_row + x * c.ic + i)] =
                    0.0f;
            }
        }
    }
    Packed packed(table, c, problem);
    GuardedFloats expected(problem.output_size), found(problem.output_size);
    packed.call.input = problem.input.data();
    packed.call.output = expected.data();
    table.conv2d_sparse_f32(packed.call);

    GuardedFloats panels(kernels::sparse_panels(table, c.ic, pixels));
    for (int p = 0; p < pixels; ++p) {
        for (int i = 0; i < c.ic; ++i) {
            panels[panel_at(table, c.ic, p, i)] = problem.input[static_cast<std::size_t>(
                (p / c.ow + pad_h) * problem.input_row + (p % c.ow + pad_w) * c.ic + i)];
        }
    }
    packed.call.input = panels.data();
    packed.call.output = found.data();
    packed.call.input_panels = true;
    for (int at = 0; at < pixels; at += table.sparse_pixels) {
        packed.call.first_pixel = at;
        packed.call.pixels = std::min(table.sparse_pixels, pixels - at);
        table.conv2d_sparse_f32(packed.call);
    }
    packed.check_guards();
    CHECK(panels.guards_intact());
    CHECK(found.guards_intact());
    check_same(found, expected);
}

TEST_CASE("conv2d_sparse_f32 pads panels", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const auto& [kh, kw] : {std::pair{3, 1}, {1, 3}, {3, 3}, {5, 1}, {1, 7}, {1, 1}}) {
            for (const auto& [oh, ow] : {std::pair{18, 44}, {20, 90}, {3, 11}, {1, 5}, {7, 1}}) {
                check_padded_panels(*table, {oh, ow, 32, 8, kh, kw, 0.5});
                check_padded_panels(*table, {oh, ow, 64, 8, kh, kw, 0.7});
                check_padded_panels(*table, {oh, ow, 20, 8, kh, kw, 0.5});
            }
        }
    }
}

TEST_CASE("conv2d_sparse_f32 passes panels on", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        const int block = table->sparse_pixels;
        for (const int pixels : {1, block, block + 1, 3 * block - 1, 200}) {
            check_chain(*table, pixels, 20, 68, 8);
            check_chain(*table, pixels, 64, 256, 64);
            check_chain(*table, pixels, 3, 4, 140);
        }
    }
}

}  // namespace
}  // namespace lprnet::test
