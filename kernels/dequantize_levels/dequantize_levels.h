// From levels to floats.
#pragma once

#include "kernels/part.h"

namespace lprnet::kernels {

// output[pixel][channel] = input[pixel][channel] * scale[channel], rounded once; pixels lie one
// behind the other.
struct DequantizeLevels {
    const void* input;
    const float* scale;
    float* output;
    int channels;
    int pixels;
};

template <class Visit>
void each_memory(DequantizeLevels& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
}

// By pixels.
bool narrow(DequantizeLevels& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
