// From floats to levels.
#pragma once

#include "kernels/part.h"

namespace lprnet::kernels {

// output[i] = min(max(round(input[i] * multiplier[i % period] + offset[i % period]), 0), 255), as
// elements of the table, with a rounding after each operation. `period` is a multiple of
// kQuantizePeriod.
inline constexpr int kQuantizePeriod = 16;
struct QuantizeF32 {
    const float* input;
    const float* multiplier;
    const float* offset;
    void* output;
    int period;
    int count;
};

template <class Visit>
void each_memory(QuantizeF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
}

// By whole periods.
bool narrow(QuantizeF32& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
