#include "kernels/affine_sample_f32/affine_sample_f32.h"

#include "kernels/example.h"

namespace lprnet::kernels {

// LPRNet's picture, turned, and partly out of sight.
Example affine_sample_f32_example(const KernelTable& table) {
    constexpr int kHeight = 24, kWidth = 94, kChannels = 3;
    constexpr std::size_t kSize = std::size_t{kHeight} * kWidth * kChannels;
    static constexpr float kTheta[] = {0.9f, -0.08f, 0.15f, 0.3f, 1.1f, -0.05f};
    Example example;
    float* output = example.memory.add<float>(kSize);
    set_run<AffineSampleF32>(
        example, table, table.affine_sample_f32,
        {.input = example.memory.add<float>(WholeNumbers().list(kSize, -1000, 1000)),
         .input_row = kWidth * kChannels,
         .theta = example.memory.add<float>(kTheta),
         .output = output,
         .output_row = kWidth * kChannels,
         .height = kHeight,
         .width = kWidth,
         .channels = kChannels,
         .first_row = 0,
         .rows = kHeight,
         .align_corners = true});
    set_result(example, output, kSize);
    return example;
}

}  // namespace lprnet::kernels
