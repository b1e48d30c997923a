#include "kernels/conv2d/conv2d_example.h"

namespace lprnet::kernels {

namespace {

Example make(const KernelTable& table, void (*kernel)(const Conv2dF32&) noexcept, bool rows) {
    using S = Conv2dExample;
    WholeNumbers numbers;
    const auto input = numbers.list(S::input_size, -4, 4);
    const auto weights = numbers.list(S::weights_size, -4, 4);
    const auto bias = numbers.list(S::oc, -9, 9);
    Example example;
    const PackedF32 packed = add_packed_f32(example, table, weights, bias, rows);
    float* output = example.memory.add<float>(S::output_size);
    auto call = S::call<Conv2dF32>();
    call.input = example.memory.add<float>(input);
    call.weights = packed.weights;
    call.bias = packed.bias;
    call.output = output;
    call.relu = true;
    set_run(example, table, kernel, call);
    set_result(example, output, S::output_size);
    return example;
}

}  // namespace

Example conv2d_f32_example(const KernelTable& table) {
    return make(table, table.conv2d_f32, true);
}

Example conv2d_f32_exact_example(const KernelTable& table) {
    return make(table, table.conv2d_f32_exact, false);
}

}  // namespace lprnet::kernels
