#include "kernels/max_pool2d_levels/max_pool2d_levels.h"

#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

bool narrow(MaxPool2dLevels& a, const Part& part, const KernelTable& table) noexcept {
    return narrow_rows(a, a.stride_h, part, static_cast<std::size_t>(table.levels.bytes));
}

}  // namespace lprnet::kernels
