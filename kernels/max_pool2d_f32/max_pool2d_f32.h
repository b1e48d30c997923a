// Max pool over a window of pixels, of floats.
#pragma once

#include <cstddef>

#include "kernels/part.h"

namespace lprnet::kernels {

// output[y][x][c] = max_{r,s} input[y*stride_h+r][x*stride_w+s][c*channel_stride]
struct MaxPool2dF32 {
    const float* input;
    std::ptrdiff_t input_row;
    float* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;  // (oc - 1) * channel_stride < ic
    int kh, kw;
    int stride_h, stride_w;
    int channel_stride;
};

template <class Visit>
void each_memory(MaxPool2dF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
}

// By rows.
bool narrow(MaxPool2dF32& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
