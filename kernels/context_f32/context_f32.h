// LPRNet's global context in float32: its branches, and the scaling of all of them.
#pragma once

#include <cstddef>

#include "kernels/context/context.h"
#include "kernels/part.h"

namespace lprnet::kernels {

// One branch of LPRNet's global context. With the average-pooled map
//   p[y][x][c] = mean_{r,s} input[y*stride_h+r][x*stride_w+s][c],   y < oh, x < ow,
// the branch is normalized by its own mean square over the whole image and averaged over
// the height, which commutes with the 1x1 convolution behind it. The mean comes first:
//   output[x][c] = mean_y p[y][x][c]
//   squares[g] = sum_{y,x} sum_{c in group g} p[y][x][c]^2
// A group is one vector of channels, the last one what is left: sums that do not depend on
// how the channels are divided among threads.
struct ContextTapF32 {
    const float* input;
    std::ptrdiff_t input_row;
    float* output;
    std::ptrdiff_t output_column;  // floats from one output column to the next
    float* squares;                // context_squares(lanes, channels_used) of them
    int oh, ow;
    int channels;             // of the input
    int channels_used;        // the first of them, computed by this call
    int channels_before = 0;  // that other calls compute
    int kh, kw;
    int stride_h, stride_w;
};

// Groups of channels whose squares are summed.
constexpr int context_squares(int lanes, int channels) noexcept {
    return (channels + lanes - 1) / lanes;
}

template <class Visit>
void each_memory(ContextTapF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
    visit(Memory::squares, a.squares);
}

// By groups of channels.
bool narrow(ContextTapF32& a, const Part& part, const KernelTable& table) noexcept;

// Divides each branch of the joined context by its mean square, in place:
//   data[x][c of branch b] *= values[b] / (sum of branch b's squares)
// where values[b] is the number of squares that were summed. A branch of zeros, whose
// quotient is undefined, stays zero.
struct ContextScaleF32 {
    float* data;
    std::ptrdiff_t column;  // floats from one column to the next
    const float* squares;   // of all branches, one after the other
    int ow;
    int branches;  // at most kMaxContextBranches
    int channels[kMaxContextBranches];
    int values[kMaxContextBranches];
};

template <class Visit>
void each_memory(ContextScaleF32& a, Visit visit) {
    visit(Memory::output, a.data);
    visit(Memory::squares, a.squares);
}

// By columns.
bool narrow(ContextScaleF32& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
