// Packing of convolution weights of which many are zero. The kernels are in
// conv2d_sparse_f32-inl.h.
//
// An input is a channel at a tap, numbered [kh][kw][ic]. Output channels form groups of
// kSparseGroup, inputs parts of kSparsePart. For every part and, within it, every group there
// is a list of the inputs that the group has weights for, sorted by their pattern and within a
// pattern by number:
//   lists    how many inputs have pattern 1, 2, ..., kSparsePatterns; then the inputs, each as
//            the place of its row in the part's panel, number in the part * sparse_pixels
//   weights  those of each input in turn that are not zero, in order of the output channels
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "kernels/pack.h"

namespace lprnet::kernels {

struct SparseSize {
    std::size_t weights = 0;  // floats
    std::size_t lists = 0;    // entries
};

// What the packed weights of an oc x ic x kh x kw convolution take.
SparseSize packed_conv2d_sparse_f32(const StoredWeights& weights, int oc, int ic, int kh,
                                    int kw) noexcept;

// The destinations have the sizes above, the bias has packed_conv2d_f32_bias() floats.
void pack_conv2d_sparse_f32(const KernelTable& table, const StoredWeights& weights,
                            const float* bias, int oc, int ic, int kh, int kw,
                            float* packed_weights, std::uint16_t* packed_lists,
                            float* packed_bias) noexcept;

// Floats of scratch memory that a call with these extents needs: whole cache lines.
std::size_t conv2d_sparse_f32_scratch(const KernelTable& table, int oc, int ic, int kh,
                                      int kw) noexcept;

// Floats of a tensor in panels.
std::size_t sparse_panels(const KernelTable& table, int channels, int pixels) noexcept;

}  // namespace lprnet::kernels
