#include "kernels/dequantize_levels/dequantize_levels.h"

#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

bool narrow(DequantizeLevels& a, const Part& part, const KernelTable& table) noexcept {
    const Range pixels = range_of(part, a.pixels);
    const std::ptrdiff_t begin = std::ptrdiff_t{pixels.begin} * a.channels;
    advance(a.input, begin, static_cast<std::size_t>(table.levels.bytes));
    a.output += begin;
    a.pixels = pixels.size();
    return a.pixels > 0;
}

}  // namespace lprnet::kernels
