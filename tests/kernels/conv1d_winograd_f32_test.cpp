// Every table's Winograd convolution against the definition, as the reference table's direct
// convolution computes it, with an error bound derived for each output.
#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"

#include <string>

#include "engine/plan/conv_algorithm.h"
#include "engine/plan/plan.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "tests/kernels/tables.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

using kernels::Conv1dWinogradF32;
using kernels::Conv2dF32;
using kernels::KernelTable;
using kernels::WinogradMatrices;

struct Case {
    int oh, ow, ic, oc;
    int taps;
    bool vertical;
    int points, tile;
    bool relu = true;
    int block = 5;
    int gap = 0;  // floats between the end of one row and the next
    std::size_t misalignment = 0;
};

// Weights, bias and input of one convolution.
struct Problem {
    explicit Problem(const Case& c)
        : input_row(std::ptrdiff_t{iw(c)} * c.ic + c.gap),
          output_row(std::ptrdiff_t{c.ow} * c.oc + c.gap),
          input(static_cast<std::size_t>(ih(c) * input_row - c.gap), c.misalignment),
          weights(static_cast<std::size_t>(c.oc * c.ic * c.taps)),
          bias(static_cast<std::size_t>(c.oc)) {
        std::mt19937 random(static_cast<unsigned>(c.ow * 7 + c.ic * 31 + c.oc * 131 + c.taps));
        input.fill([&] { return uniform(random, -1.0f, 1.0f); });
        for (std::ptrdiff_t r = 0; r + 1 < ih(c); ++r) {
            for (std::ptrdiff_t g = 0; g < c.gap; ++g) {
                input[static_cast<std::size_t>((r + 1) * input_row - c.gap + g)] = NAN;
            }
        }
        for (float& w : weights) w = uniform(random, -0.5f, 0.5f);
        for (float& b : bias) b = uniform(random, -0.5f, 0.5f);
    }
    static int ih(const Case& c) { return c.vertical ? c.oh + c.taps - 1 : c.oh; }
    static int iw(const Case& c) { return c.vertical ? c.ow : c.ow + c.taps - 1; }
    std::size_t output_size(const Case& c) const {
        return static_cast<std::size_t>(c.oh * output_row - c.gap);
    }

    std::ptrdiff_t input_row, output_row;
    GuardedFloats input;
    std::vector<float> weights, bias;
};

void run_direct(const Case& c, Problem& problem, GuardedFloats& output) {
    const KernelTable& t = reference_table();
    const int kh = c.vertical ? c.taps : 1, kw = c.vertical ? 1 : c.taps;
    GuardedFloats weights(kernels::packed_conv2d_f32_weights(t, c.oc, c.ic, kh, kw));
    GuardedFloats bias(kernels::packed_conv2d_f32_bias(t, c.oc));
    kernels::pack_conv2d_f32(t, {problem.weights.data()}, problem.bias.data(), c.oc, c.ic, kh, kw,
                             weights.data(), bias.data());
    t.conv2d_f32({.input = problem.input.data(),
                  .input_row = problem.input_row,
                  .weights = weights.data(),
                  .bias = bias.data(),
                  .output = output.data(),
                  .output_row = problem.output_row,
                  .oh = c.oh,
                  .ow = c.ow,
                  .ic = c.ic,
                  .oc = c.oc,
                  .kh = kh,
                  .kw = kw,
                  .relu = c.relu});
}

int all_tiles(const Case& c) {
    return kernels::winograd_tiles(c.vertical ? c.oh : c.ow, c.tile) * (c.vertical ? c.ow : c.oh);
}

// In calls of at most `step` tiles.
void run_winograd(const KernelTable& t, const Case& c, Problem& problem, GuardedFloats& output,
                  int step) {
    GuardedFloats weights(
        kernels::packed_conv1d_winograd_f32_weights(t, c.oc, c.ic, c.taps, c.points, c.tile));
    GuardedFloats bias(kernels::packed_conv2d_f32_bias(t, c.oc));
    kernels::pack_conv1d_winograd_f32(t, {problem.weights.data()}, problem.bias.data(), c.oc, c.ic,
                                      c.taps, c.points, c.tile, weights.data(), bias.data());
    CHECK(weights.guards_intact());
    CHECK(bias.guards_intact());
    GuardedFloats scratch(
        kernels::conv1d_winograd_f32_scratch(c.oc, c.ic, c.taps, c.points, c.tile, c.block));
    const int tiles = all_tiles(c);
    for (int first = 0; first < tiles; first += step) {
        t.conv1d_winograd_f32(
            {.input = problem.input.data(),
             .input_row = problem.input_row,
             .weights = weights.data(),
             .point_weights = static_cast<std::ptrdiff_t>(weights.size()) / c.points,
             .bias = bias.data(),
             .output = output.data(),
             .output_row = problem.output_row,
             .oh = c.oh,
             .ow = c.ow,
             .ic = c.ic,
             .oc = c.oc,
             .taps = c.taps,
             .vertical = c.vertical,
             .relu = c.relu,
             .points = c.points,
             .tile = c.tile,
             .first_tile = first,
             .tiles = std::min(step, tiles - first),
             .block = c.block,
             .scratch = scratch.data()});
    }
    CHECK(scratch.guards_intact());
}

// The bound of every output's error. Each value passes through the input transform, one
// product with a rounded weight, a sum of K terms and the output transform, so its rounding
// errors number at most n = (points / 2 + 2) + 2 + K + (points / 2 + 4), and by the running
// error analysis of sums of products (Higham, Accuracy and Stability, 3.1) the error is at
// most gamma(n) times what the same computation gives with absolute values throughout:
//   |bias| + sum_p |A^T|[i][p] sum_k |(G g)[p][k]| (|B^T| |d|)[p][k]
std::vector<double> error_bounds(const Case& c, Problem& problem) {
    const WinogradMatrices m = kernels::winograd_matrices(c.points, c.tile);
    const int extent = c.vertical ? c.oh : c.ow;
    const int across = c.vertical ? c.ow : c.oh;
    const int group_taps = c.points + 1 - c.tile;
    const int groups = kernels::winograd_groups(c.taps, c.points, c.tile);
    const int k = groups * c.ic;
    std::vector<double> weight(static_cast<std::size_t>(c.points * c.oc * k));
    const auto at = [&](int p, int o, int j) -> double& {
        return weight[static_cast<std::size_t>((p * c.oc + o) * k + j)];
    };
    for (int p = 0; p < c.points; ++p) {
        for (int o = 0; o < c.oc; ++o) {
            for (int t = 0; t < c.taps; ++t) {
                for (int i = 0; i < c.ic; ++i) {
                    at(p, o, t / group_taps * c.ic + i) +=
                        m.weight[p][t % group_taps] *
                        double{
                            problem.weights[static_cast<std::size_t>((o * c.ic + i) * c.taps + t)]};
                }
            }
        }
    }
    std::vector<double> bounds(problem.output_size(c));
    std::vector<double> transformed(static_cast<std::size_t>(c.points * k));
    for (int line = 0; line < across; ++line) {
        for (int start = 0; start < extent; start += c.tile) {
            for (int p = 0; p < c.points; ++p) {
                for (int j = 0; j < k; ++j) {
                    double sum = 0.0;
                    for (int i = 0; i < c.points; ++i) {
                        const int along = start + j / c.ic * group_taps + i;
                        if (along >= extent + c.taps - 1) break;
                        const std::ptrdiff_t y = c.vertical ? along : line;
                        const std::ptrdiff_t x = c.vertical ? line : along;
                        sum += std::abs(m.input[p][i]) *
                               std::abs(double{problem.input[static_cast<std::size_t>(
                                   y * problem.input_row + x * c.ic + j % c.ic)]});
                    }
                    transformed[static_cast<std::size_t>(p * k + j)] = sum;
                }
            }
            for (int o = 0; o < c.oc; ++o) {
                double products[kernels::kMaxWinogradPoints] = {};
                for (int p = 0; p < c.points; ++p) {
                    for (int j = 0; j < k; ++j) {
                        products[p] += std::abs(at(p, o, j)) *
                                       transformed[static_cast<std::size_t>(p * k + j)];
                    }
                }
                for (int i = 0; i < c.tile && start + i < extent; ++i) {
                    double magnitude = std::abs(double{problem.bias[static_cast<std::size_t>(o)]});
                    for (int p = 0; p < c.points; ++p) {
                        magnitude += std::abs(m.output[i][p]) * products[p];
                    }
                    const std::ptrdiff_t y = c.vertical ? start + i : line;
                    const std::ptrdiff_t x = c.vertical ? line : start + i;
                    bounds[static_cast<std::size_t>(y * problem.output_row + x * c.oc + o)] =
                        sum_error_bound(static_cast<std::size_t>(k + c.points + 8), magnitude);
                }
            }
        }
    }
    return bounds;
}

void check(const KernelTable& table, const Case& c) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " ic " << c.ic << " oc " << c.oc << " taps "
                    << c.taps << (c.vertical ? " vertical" : " horizontal") << " points "
                    << c.points << " tile " << c.tile << " block " << c.block);
    Problem problem(c);
    GuardedFloats expected(problem.output_size(c));
    GuardedFloats found(problem.output_size(c), c.misalignment);
    run_direct(c, problem, expected);
    run_winograd(table, c, problem, found, all_tiles(c));
    CHECK(found.guards_intact());
    const std::vector<double> bounds = error_bounds(c, problem);
    for (std::size_t at = 0; at < found.size(); ++at) {
        const auto in_row = static_cast<std::ptrdiff_t>(at) % problem.output_row;
        if (in_row >= std::ptrdiff_t{c.ow} * c.oc) {
            if (!std::isnan(found[at])) FAIL("the gap between rows was written at " << at);
        } else if (!(std::abs(double{found[at]} - double{expected[at]}) <= bounds[at])) {
            FAIL("output " << at << " is " << found[at] << ", expected " << expected[at]
                           << " within " << bounds[at]);
        }
    }

    // A call for part of the tiles writes exactly what the call for all of them does.
    GuardedFloats in_parts(problem.output_size(c));
    run_winograd(table, c, problem, in_parts, c.block + 2);
    for (std::size_t at = 0; at < found.size(); ++at) {
        if (std::isnan(found[at]) ? !std::isnan(in_parts[at]) : found[at] != in_parts[at]) {
            FAIL("output " << at << " is " << found[at] << " in one call, " << in_parts[at]
                           << " in several");
        }
    }
}

TEST_CASE("the matrices compute a correlation exactly", "[kernels]") {
    for (const auto& [points, tile] : kernels::kWinogradVariants) {
        INFO("points " << points << " tile " << tile);
        const WinogradMatrices m = kernels::winograd_matrices(points, tile);
        const int taps = points + 1 - tile;
        // By linearity it is enough to try every pair of unit vectors.
        for (int t = 0; t < taps; ++t) {
            for (int d = 0; d < points; ++d) {
                for (int i = 0; i < tile; ++i) {
                    double sum = 0.0;
                    for (int p = 0; p < points; ++p) {
                        sum += m.output[i][p] * m.weight[p][t] * m.input[p][d];
                    }
                    CHECK(std::abs(sum - (i + t == d ? 1.0 : 0.0)) < 1e-13);
                }
            }
        }
    }
}

// Any strides; 3 inputs.
void check_weights(const KernelTable& table, const WinogradMatrices& m, int points, int taps,
                   int channels, bool rows) {
    INFO(table.name << " points " << points << " taps " << taps << " channels " << channels
                    << (rows ? " in rows" : ""));
    constexpr int kInputs = 3;
    constexpr auto kTogether = std::size_t{kernels::kWinogradTogether};
    std::mt19937 random(static_cast<unsigned>(points * 100 + taps * 10 + channels));
    GuardedFloats weights(kInputs * static_cast<std::size_t>(taps) * kTogether, 1);
    weights.fill([&] { return uniform(random, -1.0f, 1.0f); });
    double scale[kTogether];
    for (double& s : scale) s = double{uniform(random, 0.01f, 100.0f)};
    const int input_stride = rows ? 1 : channels, channel_stride = rows ? kInputs + 2 : 1;
    const std::size_t of_point = static_cast<std::size_t>((kInputs - 1) * input_stride +
                                                          (channels - 1) * channel_stride + 1);
    const std::size_t plane = of_point + 3;
    const std::size_t size = static_cast<std::size_t>(points - 1) * plane + of_point;
    GuardedFloats found(size), expected(size);
    kernels::WinogradWeightsF32 call = {
        .matrices = &m,
        .weights = weights.data(),
        .scale = scale,
        .output = expected.data(),
        .point_stride = static_cast<std::ptrdiff_t>(plane),
        .input_stride = input_stride,
        .channel_stride = channel_stride,
        .points = points,
        .taps = taps,
        .inputs = kInputs,
        .channels = channels,
    };
    expected.fill([] { return -7.0f; });
    found.fill([] { return -7.0f; });
    reference_table().winograd_weights_f32(call);
    call.output = found.data();
    table.winograd_weights_f32(call);
    CHECK(found.guards_intact());
    for (std::size_t i = 0; i < size; ++i) {
        // Sums in double, of at most 10 terms, differ by far less than a rounding to float.
        const double e = double{expected[i]};
        if (!(std::abs(double{found[i]} - e) <= std::abs(e) * 0x1p-23 + 1e-10)) {
            FAIL_CHECK("at " << i << ": found " << found[i] << ", expected " << e);
        }
    }
}

TEST_CASE("winograd_weights_f32 transforms like the reference", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const auto& [points, tile] : kernels::kWinogradVariants) {
            const WinogradMatrices m = kernels::winograd_matrices(points, tile);
            for (int taps = 1; taps <= points + 1 - tile; ++taps) {
                for (const int channels : {1, 3, 15, 16}) {
                    check_weights(*table, m, points, taps, channels, false);
                    check_weights(*table, m, points, taps, channels, true);
                }
            }
        }
    }
}

TEST_CASE("conv1d_winograd_f32 computes the convolutions of LPRNet", "[kernels]") {
    const Model model = random_model({});
    const KernelTable& best = kernels::best_table(kernels::detect_cpu_features());
    const Result<Plan> plan = build_plan(model.data().graph, best);
    REQUIRE(plan.ok());
    for (const KernelTable* table : tables_under_test()) {
        int convolutions = 0;
        for (const StepInfo& step : plan->info) {
            if (step.op != Op::conv2d || !step.algorithm.winograd()) continue;
            ++convolutions;
            const ConvShape& s = step.conv_shape;
            check(*table, {s.oh, s.ow, s.ic, s.oc, std::max(s.kh, s.kw), s.kh > 1,
                           step.algorithm.points, step.algorithm.tile, true, 24});
        }
        CHECK(convolutions == 8);
    }
}

TEST_CASE("conv1d_winograd_f32 takes any extent, in tiles cut off anywhere", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const auto& [points, tile] : kernels::kWinogradVariants) {
            const int taps = points + 1 - tile;
            for (int extent = 1; extent <= 2 * tile + 1; ++extent) {
                check(*table, {extent, 3, table->lanes, 5, taps, true, points, tile});
                check(*table, {2, extent, table->lanes + 1, 3, taps, false, points, tile});
            }
        }
    }
}

TEST_CASE("conv1d_winograd_f32 takes any number of taps", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int taps = 1; taps <= 13; ++taps) {
            for (const auto& [points, tile] : kernels::kWinogradVariants) {
                check(*table, {4, 3, 4, 6, taps, true, points, tile, false, 7});
                check(*table, {2, 7, 3, 4, taps, false, points, tile, false, 2});
            }
        }
    }
}

TEST_CASE("conv1d_winograd_f32 takes any number of channels", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        const int block = table->lanes * table->block_vectors;
        for (int oc = 1; oc <= block + 3; ++oc) check(*table, {3, 4, 8, oc, 3, true, 6, 4});
        for (int ic = 1; ic <= 2 * table->lanes + 1; ++ic) {
            check(*table, {2, 9, ic, 7, 3, false, 8, 6});
        }
        // The last channels with vectors along the inputs.
        check(*table, {4, 9, 2 * table->lanes, 4 * table->lanes + 2, 13, true, 8, 4});
    }
}

TEST_CASE("conv1d_winograd_f32 honours row strides, alignment and the activation", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (std::size_t misalignment = 1; misalignment < 16; misalignment += 5) {
            for (const bool relu : {false, true}) {
                check(*table, {7, 13, 16, 20, 3, true, 8, 6, relu, 3, 9, misalignment});
                check(*table, {7, 13, 16, 20, 3, false, 6, 4, relu, 3, 9, misalignment});
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::test
