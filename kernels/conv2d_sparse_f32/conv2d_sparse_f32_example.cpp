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
    auto call = S::call<Conv2dSparseF32>();
    call.input = example.memory.add<float>(input);
    call.weights = packed;
    call.lists = lists;
    call.bias = packed_bias;
    call.output = output;
    call.relu = true;
    call.pixels = S::oh * S::ow;
    call.scratch =
        example.memory.add<float>(conv2d_sparse_f32_scratch(table, S::oc, S::ic, S::kh, S::kw));
    set_run(example, table, table.conv2d_sparse_f32, call);
    set_result(example, output, S::output_size);
    return example;
}

}  // namespace lprnet::kernels
