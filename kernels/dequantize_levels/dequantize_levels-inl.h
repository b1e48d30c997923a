// From the elements of quantized tensors to floats: few numbers, for which a compiler's vectors do.
#pragma once

#include "kernels/dequantize_levels/dequantize_levels.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
void dequantize_levels(const DequantizeLevels& a) noexcept {
    const auto* in = static_cast<const typename Isa::Level*>(a.input);
    float* out = a.output;
    for (int p = 0; p < a.pixels; ++p, in += a.channels, out += a.channels) {
        for (int c = 0; c < a.channels; ++c) out[c] = static_cast<float>(in[c]) * a.scale[c];
    }
}

}  // namespace
}  // namespace lprnet::kernels
