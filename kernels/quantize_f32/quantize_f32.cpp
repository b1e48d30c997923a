#include "kernels/quantize_f32/quantize_f32.h"

#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

bool narrow(QuantizeF32& a, const Part& part, const KernelTable& table) noexcept {
    const Range values = range_of_units(part, a.count, a.period);
    a.input += values.begin;
    advance(a.output, values.begin, static_cast<std::size_t>(table.levels.bytes));
    a.count = values.size();
    return a.count > 0;
}

}  // namespace lprnet::kernels
