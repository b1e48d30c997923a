// Direct convolution with many zero weights, bias and ReLU, float32.
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

#include "kernels/part.h"
#include "kernels/weight_layout.h"

namespace lprnet::kernels {

// The convolution of Conv2dF32, by the weights that are not zero alone. A call
// computes `pixels` pixels from first_pixel on, counted row by row.
//
// Between two such convolutions a tensor of oh * ow pixels may be in panels instead of NHWC:
// blocks of the table's sparse_pixels pixels, and in each block one row of pixels for each
// channel, [block][channel][pixel]. The last block is as large as all others. Channels are a
// multiple of kSparseGroup then, and a call begins and, but for the last one, ends with a block.
// Panels have no border: a convolution that reads them pads its input of oh * ow pixels by
// (kh - 1) / 2 and (kw - 1) / 2 zero pixels itself, and both numbers of taps are odd.
struct Conv2dSparseF32 {
    const float* input;        // as in Conv2dF32; in panels that of pixel 0, 64-byte aligned
    std::ptrdiff_t input_row;  // not used for panels
    const float* weights;      // packed by pack_conv2d_sparse_f32 for the same table
    const std::uint16_t* lists;
    const float* bias;
    float* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
    bool relu;
    bool input_panels, output_panels;
    int first_pixel, pixels;
    float* scratch;  // conv2d_sparse_f32_scratch() floats, 64-byte aligned
};

template <class Visit>
void each_memory(Conv2dSparseF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
    visit(Memory::scratch, a.scratch);
}

// By blocks of pixels if anything is in panels, else by vectors of pixels.
bool narrow(Conv2dSparseF32& a, const Part& part, const KernelTable& table) noexcept;

// Output channels that are computed together, and the patterns of zeros among their weights:
// bit o of a pattern is set if channel o of the group has a weight. None is left out.
inline constexpr int kSparseGroup = 4;
inline constexpr int kSparsePatterns = (1 << kSparseGroup) - 1;
constexpr bool sparse_pattern_has(int pattern, int channel) noexcept {
    return (pattern >> channel) % 2 == 1;
}

// Inputs, channels times taps, that a panel holds: 20 KB of the first-level cache's 32 or 48
// with 80 pixels in a block.
inline constexpr int kSparsePart = 64;

// Output channels that are stored together: a vector. Two if one fills a cache line and the output
// is so wide that it leaves the cache of the first level: lines then go out in pairs, which takes
// LPRNet's widest 1x1 convolution 9 % less time.
constexpr int sparse_stored_channels(int lanes, int oc) noexcept {
    constexpr int kLineFloats = 16, kWide = 64;
    return lanes == kLineFloats && oc > kWide ? 2 * lanes : lanes;
}

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
