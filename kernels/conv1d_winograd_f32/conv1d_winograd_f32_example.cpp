#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/example.h"

namespace lprnet::kernels {

namespace {

constexpr int kPoints = 6, kTile = 4, kTaps = 3;
constexpr int kMost = 4;  // of inputs and weights

double absolute_sum(const double* row, int size) {
    double sum = 0.0;
    for (int i = 0; i < size; ++i) sum += std::abs(row[i]);
    return sum;
}

// The error that rounding can make: of each transform and of a sum of `ic` products, for no output
// more than that of the same computation with absolute values throughout (Higham, Accuracy and
// Stability, 3.1), which is at most what the largest inputs and weights give.
double rounding_error(const WinogradMatrices& m, int ic) {
    double largest = 0.0;
    for (int i = 0; i < kTile; ++i) {
        double sum = kMost;
        for (int p = 0; p < kPoints; ++p) {
            sum += std::abs(m.output[i][p]) * absolute_sum(m.weight[p], kTaps) * kMost *
                   absolute_sum(m.input[p], kPoints) * kMost * ic;
        }
        largest = std::max(largest, sum);
    }
    const double terms = (ic + kPoints + 8) * 0x1p-24;
    return terms / (1.0 - terms) * largest;
}

}  // namespace

Example conv1d_winograd_f32_example(const KernelTable& table) {
    constexpr int oh = 9, ow = 7, ic = 20, oc = 36, kBlock = 5;
    constexpr std::size_t kOutputs = oh * ow * oc;
    WholeNumbers numbers;
    const auto input = numbers.list((oh + kTaps - 1) * ow * ic, -kMost, kMost);
    const auto weights = numbers.list(oc * ic * kTaps, -kMost, kMost);
    const auto bias = numbers.list(oc, -kMost, kMost);
    Example example;
    const std::size_t size =
        packed_conv1d_winograd_f32_weights(table, oc, ic, kTaps, kPoints, kTile);
    auto* packed = example.memory.add<float>(size);
    auto* packed_bias = example.memory.add<float>(packed_conv2d_f32_bias(table, oc));
    pack_conv1d_winograd_f32(table, {weights.data()}, bias.data(), oc, ic, kTaps, kPoints, kTile,
                             packed, packed_bias);
    float* output = example.memory.add<float>(kOutputs);
    set_run<Conv1dWinogradF32>(example, table, table.conv1d_winograd_f32,
                               {.input = example.memory.add<float>(input),
                                .input_row = ow * ic,
                                .weights = packed,
                                .point_weights = static_cast<std::ptrdiff_t>(size) / kPoints,
                                .bias = packed_bias,
                                .output = output,
                                .output_row = ow * oc,
                                .oh = oh,
                                .ow = ow,
                                .ic = ic,
                                .oc = oc,
                                .taps = kTaps,
                                .vertical = true,
                                .relu = false,
                                .points = kPoints,
                                .tile = kTile,
                                .first_tile = 0,
                                .tiles = winograd_tiles(oh, kTile) * ow,
                                .block = kBlock,
                                .scratch = example.memory.add<float>(conv1d_winograd_f32_scratch(
                                    oc, ic, kTaps, kPoints, kTile, kBlock))});
    set_result(example, output, kOutputs);
    example.tolerance = rounding_error(winograd_matrices(kPoints, kTile), ic);
    return example;
}

Example winograd_weights_f32_example(const KernelTable& table) {
    constexpr int kInputs = 5, kChannels = kWinogradTogether;
    constexpr std::size_t kOutputs = kPoints * kInputs * kChannels;
    const auto matrices =
        std::make_shared<const WinogradMatrices>(winograd_matrices(kPoints, kTile));
    WholeNumbers numbers;
    const auto weights = numbers.list(kInputs * kTaps * kChannels, -kMost, kMost);
    const auto scale = numbers.list<double>(kChannels, 1, 2);
    Example example;
    float* output = example.memory.add<float>(kOutputs);
    const WinogradWeightsF32 call = {.matrices = matrices.get(),
                                     .weights = example.memory.add<float>(weights),
                                     .scale = example.memory.add<double>(scale),
                                     .output = output,
                                     .point_stride = kInputs * kChannels,
                                     .input_stride = kChannels,
                                     .channel_stride = 1,
                                     .points = kPoints,
                                     .taps = kTaps,
                                     .inputs = kInputs,
                                     .channels = kChannels};
    example.run = [&table, matrices, call](const Part& part) {
        if (part.index == 0) table.winograd_weights_f32(call);
    };
    set_result(example, output, kOutputs);
    // Sums in double, which then round to neighbors at most.
    double largest = 0.0;
    for (const auto& row : matrices->weight) {
        largest = std::max(largest, absolute_sum(row, kTaps) * kMost * 2);
    }
    example.tolerance = largest * 0x1p-23;
    return example;
}

}  // namespace lprnet::kernels
