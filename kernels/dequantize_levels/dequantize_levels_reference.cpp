#include "kernels/dequantize_levels/dequantize_levels.h"

#include <cstddef>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::dequantize_levels(const DequantizeLevels& a) noexcept {
    const auto channels = static_cast<std::size_t>(a.channels);
    for (std::size_t i = 0; i < channels * static_cast<std::size_t>(a.pixels); ++i) {
        const double level = static_cast<const Level*>(a.input)[i];
        // Exact, 8 bits times 24, before it is rounded.
        a.output[i] = static_cast<float>(level * static_cast<double>(a.scale[i % channels]));
    }
}

}  // namespace lprnet::kernels
