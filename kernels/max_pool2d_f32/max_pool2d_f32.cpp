#include "kernels/max_pool2d_f32/max_pool2d_f32.h"

#include "kernels/narrow.h"

namespace lprnet::kernels {

bool narrow(MaxPool2dF32& a, const Part& part, const KernelTable&) noexcept {
    return narrow_rows(a, a.stride_h, part, sizeof(float));
}

}  // namespace lprnet::kernels
