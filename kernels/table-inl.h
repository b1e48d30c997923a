// Instantiates every kernel body for one Isa trait and gathers the table.
//
// The trait names what differs between instruction sets and nothing else:
//   arch           xsimd architecture tag
//   block_vectors  vectors of output channels in one convolution tile
//   tile_pixels    most output pixels in one convolution tile
//   fma(a, b, c)   a * b + c for batches
#pragma once

#include <xsimd/xsimd.hpp>

#include "kernels/context_tap_f32-inl.h"
#include "kernels/conv1d_winograd_f32-inl.h"
#include "kernels/conv2d_f32-inl.h"
#include "kernels/kernel_table.h"
#include "kernels/max_pool2d_f32-inl.h"
#include "kernels/peak_f32-inl.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
constexpr KernelTable make_table(const char* name) {
    return {
        .name = name,
        .lanes = static_cast<int>(xsimd::batch<float, typename Isa::arch>::size),
        .block_vectors = Isa::block_vectors,
        .conv2d_f32 = conv2d_f32<Isa>,
        .conv1d_winograd_f32 = conv1d_winograd_f32<Isa>,
        .max_pool2d_f32 = max_pool2d_f32<Isa>,
        .context_tap_f32 = context_tap_f32<Isa>,
        .context_scale_f32 = context_scale_f32<Isa>,
        .peak_f32 = peak_f32<Isa>,
    };
}

}  // namespace
}  // namespace lprnet::kernels
