#include "kernels/conv2d_sparse_f32/conv2d_sparse_f32.h"

#include "kernels/conv2d/conv2d_example.h"

namespace lprnet::kernels {

Example conv2d_sparse_f32_example(const KernelTable& table) {
    using S = Conv2dExample;
    WholeNumbers numbers;
    const auto input = numbers.list(S::input_size, -4, 4);
    auto weights = numbers.list(S::weights_size, -4, 4);
    for (float& weight : weights) weight = weight * weight <= 1.0f ? 0.0f : weight;
    const auto bias = numbers.list(S::oc, -9, 9);
    Example example;
    const SparseSize size = packed_conv2d_sparse_f32({weights.data()}, S::oc, S::ic, S::kh, S::kw);
    auto* packed = example.memory.add<float>(size.weights);
    auto* lists = example.memory.add<std::uint16_t>(size.lists);
    auto* packed_bias = example.memory.add<float>(packed_conv2d_f32_bias(table, S::oc));
    pack_conv2d_sparse_f32(table, {weights.data()}, bias.data(), S::oc, S::ic, S::kh, S::kw, packed,
                           lists, packed_bias);
    float* output = example.memory.add<float>(S::output_size);
    set_run<Conv2dSparseF32>(example, table, table.conv2d_sparse_f32,
                             {.input = example.memory.add<float>(input),
                              .input_row = S::input_row,
                              .weights = packed,
                              .lists = lists,
                              .bias = packed_bias,
                              .output = output,
                              .output_row = S::output_row,
                              .oh = S::oh,
                              .ow = S::ow,
                              .ic = S::ic,
                              .oc = S::oc,
                              .kh = S::kh,
                              .kw = S::kw,
                              .relu = true,
                              .input_panels = false,
                              .output_panels = false,
                              .first_pixel = 0,
                              .pixels = S::oh * S::ow,
                              .scratch = example.memory.add<float>(
                                  conv2d_sparse_f32_scratch(table, S::oc, S::ic, S::kh, S::kw))});
    set_result(example, output, S::output_size);
    return example;
}

}  // namespace lprnet::kernels
