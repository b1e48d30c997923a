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
//   fma_lane<L>(a, b, c), mul_lane<L>(a, b)  a[L] * b + c and a[L] * b, where one instruction does
//                  it; else there are none
//   forget(v)      makes the compiler believe that v is another value now
//   Level          element of quantized tensors: std::uint8_t or std::int16_t
//   level_vectors  vectors of output channels in one tile: 2, or 4 with half the pixels
//   level_offset  what dot() subtracts from each activation
//   dot(sum, x, w)  sum + the products of each lane's group, exactly
//   dot_lane<L>(sum, x, w)  the same with lane L of x in every lane, where one instruction does it;
//                  x went through dot_activations(x) before
//   narrow(a, ..., out)  one, two or level_vectors vectors of int32 to 0..255, saturated,
//                  stored as elements; the lanes of several vectors interleaved by 4 within
//                  each 128 bits
#pragma once

#include <xsimd/xsimd.hpp>

#include "kernels/context_f32-inl.h"
#include "kernels/context_levels-inl.h"
#include "kernels/conv1d_winograd_f32-inl.h"
#include "kernels/conv2d_f32-inl.h"
#include "kernels/conv2d_levels_f32-inl.h"
#include "kernels/conv2d_s8-inl.h"
#include "kernels/conv2d_sparse_f32-inl.h"
#include "kernels/kernel_table.h"
#include "kernels/max_pool2d-inl.h"
#include "kernels/peak_f32-inl.h"
#include "kernels/quantize_f32-inl.h"
#include "kernels/winograd_weights_f32-inl.h"

namespace lprnet::kernels {
namespace {

// Everything but the kernels on float32 tensors.
template <class Isa>
constexpr KernelTable make_quantized_kernels(const char* name) {
    KernelTable table = {};
    table.name = name;
    table.lanes = static_cast<int>(xsimd::batch<float, typename Isa::arch>::size);
    table.block_vectors = Isa::block_vectors;
    table.sparse_pixels = Sparse<Isa>::pixels;
    table.levels = {.bytes = sizeof(typename Isa::Level),
                    .offset = Isa::level_offset,
                    .block_vectors = Isa::level_vectors};
    table.conv2d_s8 = conv2d_s8<Isa>;
    table.conv2d_levels_f32 = conv2d_levels_f32<Isa>;
    table.quantize_f32 = quantize_f32<Isa>;
    table.max_pool2d_levels = max_pool2d_levels<Isa>;
    table.context_tap_levels = context_tap_levels<typename Isa::Level>;
    table.context_scale_levels = context_scale_levels;
    table.peak_f32 = peak_f32<Isa>;
    table.peak_s8 = peak_s8<Isa>;
    return table;
}

template <class Isa>
constexpr KernelTable make_table(const char* name) {
    KernelTable table = make_quantized_kernels<Isa>(name);
    table.conv2d_f32 = conv2d_f32<Isa>;
    table.conv2d_f32_exact = conv2d_f32_exact<Isa>;
    table.conv2d_sparse_f32 = conv2d_sparse_f32<Isa>;
    table.conv1d_winograd_f32 = conv1d_winograd_f32<Isa>;
    table.winograd_weights_f32 = winograd_weights_f32<Isa>;
    table.max_pool2d_f32 = max_pool2d_f32<Isa>;
    table.context_tap_f32 = context_tap_f32<Isa>;
    table.context_scale_f32 = context_scale_f32<Isa>;
    return table;
}

template <const KernelTable& base, class Call, void (*KernelTable::*kernel)(const Call&) noexcept>
void forward(const Call& call) noexcept {
    (base.*kernel)(call);
}

// The table of an instruction set that adds byte dot products to that of `base`, and nothing to
// its float32 kernels: those are called, not compiled again.
template <class Isa, const KernelTable& base>
constexpr KernelTable make_dot_table(const char* name) {
    using T = KernelTable;
    T table = make_quantized_kernels<Isa>(name);
    table.conv2d_f32 = forward<base, Conv2dF32, &T::conv2d_f32>;
    table.conv2d_f32_exact = forward<base, Conv2dF32, &T::conv2d_f32_exact>;
    table.conv2d_sparse_f32 = forward<base, Conv2dSparseF32, &T::conv2d_sparse_f32>;
    table.conv1d_winograd_f32 = forward<base, Conv1dWinogradF32, &T::conv1d_winograd_f32>;
    table.winograd_weights_f32 = forward<base, WinogradWeightsF32, &T::winograd_weights_f32>;
    table.max_pool2d_f32 = forward<base, MaxPool2dF32, &T::max_pool2d_f32>;
    table.context_tap_f32 = forward<base, ContextTapF32, &T::context_tap_f32>;
    table.context_scale_f32 = forward<base, ContextScaleF32, &T::context_scale_f32>;
    return table;
}

}  // namespace
}  // namespace lprnet::kernels
