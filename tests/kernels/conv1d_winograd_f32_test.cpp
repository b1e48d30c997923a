// Every table's Winograd convolution against the definition, as the reference table's direct
// convolution computes it, with an error bound derived for each output.
#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"

#include <algorithm>

#include "engine/plan/conv_algorithm.h"
#include "tests/kernels/convolution.h"

namespace lprnet::test {
namespace {

using kernels::Conv1dWinogradF32;
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

    ConvCase direct() const {
        const int kh = vertical ? taps : 1, kw = vertical ? 1 : taps;
        return {oh, ow, ic, oc, kh, kw, relu, gap, gap, misalignment};
    }
};

int all_tiles(const Case& c) {
    return kernels::winograd_tiles(c.vertical ? c.oh : c.ow, c.tile) * (c.vertical ? c.ow : c.oh);
}

// In calls of at most `together` tiles.
void run_winograd(const KernelTable& t, const Case& c, FloatConv& conv, GuardedFloats& output,
                  int together) {
    GuardedFloats weights(
        kernels::packed_conv1d_winograd_f32_weights(t, c.oc, c.ic, c.taps, c.points, c.tile));
    GuardedFloats bias(kernels::packed_conv2d_f32_bias(t, c.oc));
    kernels::pack_conv1d_winograd_f32(t, {conv.weights.data()}, conv.bias.data(), c.oc, c.ic,
                                      c.taps, c.points, c.tile, weights.data(), bias.data());
    CHECK(weights.guards_intact());
    CHECK(bias.guards_intact());
    GuardedFloats scratch(
        kernels::conv1d_winograd_f32_scratch(c.oc, c.ic, c.taps, c.points, c.tile, c.block));
    const int tiles = all_tiles(c);
    for (int first = 0; first < tiles; first += together) {
        t.conv1d_winograd_f32(
            {.input = conv.input.data(),
             .input_row = conv.c.input_row(),
             .weights = weights.data(),
             .point_weights = static_cast<std::ptrdiff_t>(weights.size()) / c.points,
             .bias = bias.data(),
             .output = output.data(),
             .output_row = conv.c.output_row(),
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
             .tiles = std::min(together, tiles - first),
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
std::vector<double> error_bounds(const Case& c, const FloatConv& conv) {
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
                        double{conv.weights[static_cast<std::size_t>((o * c.ic + i) * c.taps + t)]};
                }
            }
        }
    }
    std::vector<double> bounds(conv.c.output_size());
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
                               std::abs(double{conv.input[static_cast<std::size_t>(
                                   y * conv.c.input_row() + x * c.ic + j % c.ic)]});
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
                    double magnitude = std::abs(double{conv.bias[static_cast<std::size_t>(o)]});
                    for (int p = 0; p < c.points; ++p) {
                        magnitude += std::abs(m.output[i][p]) * products[p];
                    }
                    const std::ptrdiff_t y = c.vertical ? start + i : line;
                    const std::ptrdiff_t x = c.vertical ? line : start + i;
                    bounds[static_cast<std::size_t>(y * conv.c.output_row() + x * c.oc + o)] =
                        sum_error_bound(static_cast<std::size_t>(k + c.points + 8), magnitude);
                }
            }
        }
    }
    return bounds;
}

void check(const KernelTable& table, const Case& c) {
    INFO(describe(table, c.direct())
         << " points " << c.points << " tile " << c.tile << " block " << c.block);
    FloatConv conv(c.direct());
    GuardedFloats expected = conv.expected();
    GuardedFloats found(conv.c.output_size(), c.misalignment);
    run_winograd(table, c, conv, found, all_tiles(c));
    const std::vector<double> bounds = error_bounds(c, conv);
    check_outputs(conv.c, found, expected, [&](std::size_t at) { return bounds[at]; });

    // A call for part of the tiles writes exactly what the call for all of them does.
    GuardedFloats in_parts(conv.c.output_size());
    run_winograd(table, c, conv, in_parts, c.block + 2);
    check_same(in_parts, found);
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
    const KernelTable& best = kernels::best_table(kernels::detect_cpu_features());
    for (const KernelTable* table : tables_under_test()) {
        int convolutions = 0;
        for (const auto& [c, algorithm] : lprnet_convolutions(best)) {
            if (!algorithm.winograd()) continue;
            ++convolutions;
            check(*table, {c.oh, c.ow, c.ic, c.oc, std::max(c.kh, c.kw), c.kh > 1, algorithm.points,
                           algorithm.tile, true, 24});
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
