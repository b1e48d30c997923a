#include "kernels/conv2d_levels_f32/conv2d_levels_f32.h"

#include "kernels/conv2d/conv2d_example.h"

namespace lprnet::kernels {

Example conv2d_levels_f32_example(const KernelTable& table) {
    using S = Conv2dExample;
    WholeNumbers numbers;
    const auto input = numbers.list<int>(S::input_size, 0, 255);
    const auto weights = numbers.list(S::weights_size, -3, 3, 1.0 / 64);
    const auto bias = numbers.list(S::oc, 90, 160);
    Example example;
    const PackedF32 packed = add_packed_f32(example, table, weights, bias, false);
    void* output = add_levels(example.memory, table, S::output_size);
    auto call = S::call<Conv2dLevelsF32>();
    call.input = add_levels(example.memory, table, input);
    call.weights = packed.weights;
    call.bias = packed.bias;
    call.output = output;
    set_run(example, table, table.conv2d_levels_f32, call);
    set_levels_result(example, table, output, S::output_size);
    return example;
}

}  // namespace lprnet::kernels
