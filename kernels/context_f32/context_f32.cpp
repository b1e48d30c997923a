#include "kernels/context_f32/context_f32.h"

#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

bool narrow(ContextTapF32& a, const Part& part, const KernelTable& table) noexcept {
    const Range channels = range_of_units(part, a.channels_used, table.lanes);
    a.input += channels.begin;
    a.output += channels.begin;
    a.squares += channels.begin / table.lanes;
    a.channels_before += channels.begin;
    a.channels_used = channels.size();
    return a.channels_used > 0;
}

bool narrow(ContextScaleF32& a, const Part& part, const KernelTable&) noexcept {
    const Range x = range_of(part, a.ow);
    a.data += x.begin * a.column;
    a.ow = x.size();
    return a.ow > 0;
}

}  // namespace lprnet::kernels
