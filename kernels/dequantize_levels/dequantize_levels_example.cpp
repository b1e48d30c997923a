#include "kernels/dequantize_levels/dequantize_levels.h"

#include "kernels/example.h"

namespace lprnet::kernels {

Example dequantize_levels_example(const KernelTable& table) {
    constexpr int kChannels = 37, kPixels = 28;
    constexpr std::size_t kCount = std::size_t{kChannels} * kPixels;
    WholeNumbers numbers;
    Example example;
    float* output = example.memory.add<float>(kCount);
    set_run<DequantizeLevels>(
        example, table, table.dequantize_levels,
        {.input = add_levels(example.memory, table, numbers.list<int>(kCount, 0, 255)),
         .scale = example.memory.add<float>(numbers.list(kChannels, 1, 900, 1.0 / 7)),
         .output = output,
         .channels = kChannels,
         .pixels = kPixels});
    set_result(example, output, kCount);
    return example;
}

}  // namespace lprnet::kernels
