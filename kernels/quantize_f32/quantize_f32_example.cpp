#include "kernels/quantize_f32/quantize_f32.h"

#include "kernels/example.h"

namespace lprnet::kernels {

Example quantize_f32_example(const KernelTable& table) {
    constexpr std::size_t kPeriod = 3 * kQuantizePeriod, kCount = 7 * kPeriod + 5;
    WholeNumbers numbers;
    Example example;
    void* output = add_levels(example.memory, table, kCount);
    set_run<QuantizeF32>(
        example, table, table.quantize_f32,
        {.input = example.memory.add<float>(numbers.list(kCount, -500, 500, 1.0 / 300)),
         .multiplier = example.memory.add<float>(numbers.list(kPeriod, 50, 90)),
         .offset = example.memory.add<float>(numbers.list(kPeriod, 100, 150, 1.0 / 7)),
         .output = output,
         .period = kPeriod,
         .count = kCount});
    set_levels_result(example, table, output, kCount);
    return example;
}

}  // namespace lprnet::kernels
