// Direct convolution of levels with float32 weights.
#pragma once

#include <cstddef>

#include "kernels/part.h"

namespace lprnet::kernels {

// The convolution of Conv2dS8 for a layer whose weights stay float32:
//   sum = bias[o]; sum = sum + weight[o][i][r][s] * input[y+r][x+s][i] for r, s, i, i the fastest
//   output[y][x][o] = min(max(round(sum), 0), 255)
// with a rounding to float32 after each product and each sum, one after the other, so that all
// tables compute the same. No sum may leave the range of float32. A kernel reads nothing behind
// its input.
struct Conv2dLevelsF32 {
    const void* input;  // rows, extents and channels as in Conv2dS8
    std::ptrdiff_t input_row;
    const float* weights;  // packed by pack_conv2d_f32 for the same table with rows = false
    const float* bias;     // padded like the weights' output channels
    void* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
};

template <class Visit>
void each_memory(Conv2dLevelsF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
}

// By pixels if all rows form one, else by rows.
bool narrow(Conv2dLevelsF32& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
