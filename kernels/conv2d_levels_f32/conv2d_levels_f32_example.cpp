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
    set_run<Conv2dLevelsF32>(example, table, table.conv2d_levels_f32,
                             {.input = add_levels(example.memory, table, input),
                              .input_row = S::input_row,
                              .weights = packed.weights,
                              .bias = packed.bias,
                              .output = output,
                              .output_row = S::output_row,
                              .oh = S::oh,
                              .ow = S::ow,
                              .ic = S::ic,
                              .oc = S::oc,
                              .kh = S::kh,
                              .kw = S::kw});
    set_levels_result(example, table, output, S::output_size);
    return example;
}

}  // namespace lprnet::kernels
