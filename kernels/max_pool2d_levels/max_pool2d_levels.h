// Max pool over a window of pixels, of levels in the table's elements.
#pragma once

#include <cstddef>

#include "kernels/part.h"

namespace lprnet::kernels {

// As MaxPool2dF32.
struct MaxPool2dLevels {
    const void* input;
    std::ptrdiff_t input_row;
    void* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
    int stride_h, stride_w;
    int channel_stride;
};

template <class Visit>
void each_memory(MaxPool2dLevels& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
}

// By rows.
bool narrow(MaxPool2dLevels& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
