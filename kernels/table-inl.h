// Instantiates every kernel body for one Isa trait and gathers the table.
//
// The trait names what differs between instruction sets and nothing else:
//   arch           xsimd architecture tag
//   block_vectors  vectors of output channels in one convolution tile
//   tile_pixels    most output pixels in one convolution tile
//   sparse_vectors vectors of pixels in one sparse convolution tile
//   sparse_tiles   such tiles in a block of pixels
//   fma(a, b, c)   a * b + c for batches
//   transpose(m)   m[i][j] becomes m[j][i], for as many batches as a batch has lanes
//   Quantized      element of quantised tensors: std::uint8_t or std::int16_t
//   quantized_vectors  vectors of output channels in one tile: 2, or 4 with half the pixels
//   quantized_offset  what dot() subtracts from each activation
//   dot(sum, x, w)  sum + the products of each lane's group, exactly
//   narrow(a, ..., out)  one, two or quantized_vectors vectors of int32 to 0..255, saturated,
//                  stored as elements; the lanes of several vectors interleaved by 4 within
//                  each 128 bits
#pragma once

#include <xsimd/xsimd.hpp>

#include "kernels/context_f32-inl.h"
#include "kernels/context_s8-inl.h"
#include "kernels/conv1d_winograd_f32-inl.h"
#include "kernels/conv2d_f32-inl.h"
#include "kernels/conv2d_s8-inl.h"
#include "kernels/conv2d_sparse_f32-inl.h"
#include "kernels/kernel_table.h"
#include "kernels/max_pool2d-inl.h"
#include "kernels/peak_f32-inl.h"
#include "kernels/quantise_f32-inl.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
constexpr KernelTable make_table(const char* name) {
    return {
        .name = name,
        .lanes = static_cast<int>(xsimd::batch<float, typename Isa::arch>::size),
        .block_vectors = Isa::block_vectors,
        .sparse_pixels = Sparse<Isa>::pixels,
        .quantized = {.bytes = sizeof(typename Isa::Quantized),
                      .offset = Isa::quantized_offset,
                      .block_vectors = Isa::quantized_vectors},
        .conv2d_f32 = conv2d_f32<Isa>,
        .conv2d_f32_exact = conv2d_f32_exact<Isa>,
        .conv2d_sparse_f32 = conv2d_sparse_f32<Isa>,
        .conv2d_s8 = conv2d_s8<Isa>,
        .conv1d_winograd_f32 = conv1d_winograd_f32<Isa>,
        .max_pool2d_f32 = max_pool2d_f32<Isa>,
        .context_tap_f32 = context_tap_f32<Isa>,
        .context_scale_f32 = context_scale_f32<Isa>,
        .quantise_f32 = quantise_f32<Isa>,
        .max_pool2d_s8 = max_pool2d_s8<Isa>,
        .context_tap_s8 = context_tap_s8<typename Isa::Quantized>,
        .context_scale_s8 = context_scale_s8,
        .peak_f32 = peak_f32<Isa>,
    };
}

}  // namespace
}  // namespace lprnet::kernels
