#include "kernels/conv2d_levels_f32/conv2d_levels_f32.h"

#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

bool narrow(Conv2dLevelsF32& a, const Part& part, const KernelTable& table) noexcept {
    return narrow_convolution(a, part, static_cast<std::size_t>(table.levels.bytes));
}

}  // namespace lprnet::kernels
