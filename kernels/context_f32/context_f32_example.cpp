#include "kernels/context_f32/context_f32.h"

#include <algorithm>

#include "kernels/example.h"

namespace lprnet::kernels {

namespace {

constexpr int ow = 6, channels = 37;

std::size_t squares_of(const KernelTable& table) {
    return static_cast<std::size_t>(context_squares(table.lanes, channels));
}

}  // namespace

// Windows and heights of powers of two, so that the means are exact.
Example context_tap_f32_example(const KernelTable& table) {
    constexpr int oh = 2, kh = 4, kw = 4, stride_h = 4, stride_w = 2;
    constexpr int ih = (oh - 1) * stride_h + kh, iw = (ow - 1) * stride_w + kw;
    constexpr std::size_t kOutputs = ow * channels;
    Example example;
    float* output = example.memory.add<float>(kOutputs);
    float* squares = example.memory.add<float>(squares_of(table));
    set_run<ContextTapF32>(
        example, table, table.context_tap_f32,
        {.input = example.memory.add<float>(WholeNumbers().list(ih * iw * channels, 0, 7)),
         .input_row = iw * channels,
         .output = output,
         .output_column = channels,
         .squares = squares,
         .oh = oh,
         .ow = ow,
         .channels = channels,
         .channels_used = channels,
         .kh = kh,
         .kw = kw,
         .stride_h = stride_h,
         .stride_w = stride_w});
    example.result = [&table, output, squares] {
        std::vector<double> numbers(output, output + kOutputs);
        double sum = 0.0;  // of groups, which each table has its own number of
        for (std::size_t i = 0; i < squares_of(table); ++i) sum += static_cast<double>(squares[i]);
        numbers.push_back(sum);
        return numbers;
    };
    return example;
}

// Means that are powers of two, for the same reason, and one branch of zeros.
Example context_scale_f32_example(const KernelTable& table) {
    constexpr int kBranches = 3;
    constexpr std::size_t kOutputs = ow * kBranches * channels;
    const std::size_t groups = squares_of(table);
    std::vector<float> squares(kBranches * groups, 0.0f);
    for (std::size_t b = 0; b + 1 < kBranches; ++b) {
        float* of_branch = squares.data() + b * groups;
        std::fill_n(of_branch, groups, 1.0f);
        of_branch[0] = 64.0f - static_cast<float>(groups - 1);
    }
    Example example;
    float* data = example.memory.add<float>(WholeNumbers().list(kOutputs, 1, 99));
    ContextScaleF32 call = {.data = data,
                            .column = kBranches * channels,
                            .squares = example.memory.add<float>(squares),
                            .ow = ow,
                            .branches = kBranches,
                            .channels = {channels, channels, channels},
                            .values = {128, 32, 128}};
    set_run(example, table, table.context_scale_f32, call);
    set_result(example, data, kOutputs);
    return example;
}

}  // namespace lprnet::kernels
