#include "kernels/conv2d_s8/conv2d_s8.h"

#include "kernels/conv2d/conv2d_example.h"

namespace lprnet::kernels {

Example conv2d_s8_example(const KernelTable& table) {
    using S = Conv2dExample;
    WholeNumbers numbers;
    const auto input = numbers.list<int>(S::input_size, 0, 255);
    const auto weights = numbers.list<std::int8_t>(S::weights_size, -128, 127);
    const auto bias = numbers.list<std::int32_t>(S::oc, 100000, 200000);
    const auto scale = numbers.list(S::oc, 1, 4, 1.0 / 2048);
    Example example;
    const std::size_t channels = packed_conv2d_s8_bias(table, S::oc);
    auto* packed = example.memory.add<std::int32_t>(
        packed_conv2d_s8_weights(table, S::oc, S::ic, S::kh, S::kw));
    auto* packed_bias = example.memory.add<std::int32_t>(channels);
    auto* packed_scale = example.memory.add<float>(channels);
    pack_conv2d_s8(table, {weights.data()}, bias.data(), scale.data(), S::oc, S::ic, S::kh, S::kw,
                   packed, packed_bias, packed_scale);
    void* output = add_levels(example.memory, table, S::output_size);
    auto call = S::call<Conv2dS8>();
    call.input = add_levels(example.memory, table, input);
    call.weights = packed;
    call.bias = packed_bias;
    call.scale = packed_scale;
    call.output = output;
    set_run(example, table, table.conv2d_s8, call);
    set_levels_result(example, table, output, S::output_size);
    return example;
}

}  // namespace lprnet::kernels
