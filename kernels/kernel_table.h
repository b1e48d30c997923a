// The function pointers that one instruction set offers. A plan is built against
// one table and calls no other.
#pragma once

namespace lprnet::kernels {

#define LPRNET_KERNEL(folder, name, Call, elements) struct Call;
#define LPRNET_TOOL LPRNET_KERNEL
#include "kernels/kernels.inc"

struct KernelTable {
    const char* name;

    // Packing of convolution weights: `block_vectors` vectors of `lanes` output
    // channels are computed together.
    int lanes;
    int block_vectors;

    // Pixels that a sparse convolution takes at a time.
    int sparse_pixels;

    // Tensors of levels, q = 0..255: bytes of an element, 1, 2 or 4, and what a kernel subtracts
    // from each before it multiplies, for which packing makes up in the bias.
    struct Levels {
        int bytes;
        int offset;
        int block_vectors;  // as above, for conv2d_s8
        // Weights in a word of packed weights.
        int group() const noexcept { return 4 / bytes; }
    };
    Levels levels;

    // Null for what the build leaves out (compiled_folders.h).
#define LPRNET_KERNEL(folder, name, Call, elements) void (*name)(const Call&) noexcept;
#define LPRNET_TOOL LPRNET_KERNEL
#include "kernels/kernels.inc"
};

}  // namespace lprnet::kernels
