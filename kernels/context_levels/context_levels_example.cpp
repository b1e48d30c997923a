#include "kernels/context_levels/context_levels.h"

#include <algorithm>

#include "kernels/example.h"

namespace lprnet::kernels {

namespace {

constexpr int ow = 6, channels = 3 * kContextLevelsChannels - 5;

}  // namespace

Example context_tap_levels_example(const KernelTable& table) {
    constexpr int oh = 2, kh = 5, kw = 4, stride_h = 3, stride_w = 2;
    constexpr int ih = (oh - 1) * stride_h + kh, iw = (ow - 1) * stride_w + kw;
    constexpr std::size_t kSums = ow * channels;
    constexpr std::size_t kParts = (channels + kContextLevelsChannels - 1) / kContextLevelsChannels;
    WholeNumbers numbers;
    const auto input = numbers.list<int>(ih * iw * channels, 0, 255);
    std::vector<std::uint32_t> factors(channels);
    for (std::uint32_t& factor : factors) factor = 1U << (2 * numbers.next(0, 8));
    Example example;
    auto* sums = example.memory.add<std::int32_t>(kSums);
    auto* squares = example.memory.add<std::int64_t>(kParts);
    std::fill_n(squares, kParts, 0);  // of parts that do not exist
    set_run<ContextTapLevels>(example, table, table.context_tap_levels,
                              {.input = add_levels(example.memory, table, input),
                               .input_row = iw * channels,
                               .sums = sums,
                               .sums_column = channels,
                               .squares = squares,
                               .oh = oh,
                               .ow = ow,
                               .channels = channels,
                               .channels_used = channels,
                               .kh = kh,
                               .kw = kw,
                               .stride_h = stride_h,
                               .stride_w = stride_w,
                               .square_factors = example.memory.add<std::uint32_t>(factors)});
    example.result = [sums, squares] {
        std::vector<double> all(sums, sums + kSums);
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < kParts; ++i) sum += squares[i];
        all.push_back(static_cast<double>(sum));  // below 2^53
        return all;
    };
    return example;
}

Example context_scale_levels_example(const KernelTable& table) {
    constexpr int kBranches = 2;
    constexpr std::size_t kOutputs = ow * kBranches * channels;
    WholeNumbers numbers;
    const auto sums = numbers.list<std::int32_t>(kOutputs, 0, 50000);
    const std::vector<std::int64_t> squares = {123456789012, 34567, 98765432109};
    std::vector<float> channel_factors(channels);
    for (float& factor : channel_factors)
        factor = 1.0f / static_cast<float>(1 << numbers.next(0, 8));
    Example example;
    auto* data = example.memory.add<std::int32_t>(sums);
    set_run<ContextScaleLevels>(
        example, table, table.context_scale_levels,
        {.data = data,
         .column = kBranches * channels,
         .squares = example.memory.add<std::int64_t>(squares),
         .ow = ow,
         .branches = kBranches,
         .channels = {channels, channels},
         .parts = {2, 1},
         .gains = {12345678.9, 3456789.01},
         .channel_factors = {nullptr, example.memory.add<float>(channel_factors)}});
    example.result = [data] {
        std::vector<float> values(kOutputs);
        std::memcpy(values.data(), data, kOutputs * sizeof(float));
        return std::vector<double>(values.begin(), values.end());
    };
    return example;
}

}  // namespace lprnet::kernels
