#include "kernels/peak_s8/peak_s8.h"

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::peak_s8(const PeakS8& a) noexcept {
    std::int32_t acc = 0;
    for (std::int64_t r = 0; r < a.rounds; ++r) acc = acc / 2 * 3 + 1;
    *a.sink = static_cast<float>(acc);
    *a.multiply_adds = a.rounds;
}

}  // namespace lprnet::kernels
