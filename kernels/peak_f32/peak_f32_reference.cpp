#include "kernels/peak_f32/peak_f32.h"

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::peak_f32(const PeakF32& a) noexcept {
    float acc = 0.0f;
    for (std::int64_t r = 0; r < a.rounds; ++r) acc = acc * 0.5f + 0.5f;
    *a.sink = acc;
    *a.multiply_adds = a.rounds;
}

}  // namespace lprnet::kernels
