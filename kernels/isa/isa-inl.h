// What every file compiled for one instruction set begins with. LPRNET_ISA_HEADER, isa/NAME.h,
// defines the trait `Isa` and `OwnKernels`, the class whose static functions are this set's
// kernels.
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

#include "kernels/kernel_table.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
constexpr int kLanes = static_cast<int>(xsimd::batch<float, typename Isa::arch>::size);

// Pixels that a sparse convolution takes at a time.
template <class Isa>
constexpr int kSparsePixels = Isa::sparse_tiles* Isa::sparse_vectors* kLanes<Isa>;

}  // namespace
}  // namespace lprnet::kernels
