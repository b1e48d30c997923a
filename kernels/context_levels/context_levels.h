// LPRNet's global context from levels: its branches, and the scaling of all of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/context/context.h"
#include "kernels/part.h"

namespace lprnet::kernels {

// A branch of the context of ContextTapF32 from levels, exactly. With the sums of each window
//   S[y][x][c] = sum_{r,s} input[y*stride_h+r][x*stride_w+s][c]
// a tap computes, in integers,
//   sums[x][c] = sum_y S[y][x][c]
//   *squares = sum_{y,x,c} S[y][x][c]^2 * square_factors[c]
// The factors are 4^k where channels have scales of their own, 2^k times the smallest. A window has
// at most kMaxContextWindowLevels pixels; the sum may not leave int64.
inline constexpr int kMaxContextWindowLevels = 128;
// Channels that are summed together, the unit of its parts.
inline constexpr int kContextLevelsChannels = 64;
struct ContextTapLevels {
    const void* input;
    std::ptrdiff_t input_row;
    std::int32_t* sums;
    std::ptrdiff_t sums_column;  // elements from one column to the next
    std::int64_t* squares;       // one for each part of the call
    int oh, ow;
    int channels;       // of the input
    int channels_used;  // the first of them, computed by this call
    int kh, kw;
    int stride_h, stride_w;
    const std::uint32_t* square_factors = nullptr;  // of channels_used; null: all are 1
};

template <class Visit>
void each_memory(ContextTapLevels& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.sums);
    visit(Memory::squares, a.squares);
}

// By kContextLevelsChannels channels. Each part leaves a square of its own, and those of the parts
// that exist lie one behind the other.
bool narrow(ContextTapLevels& a, const Part& part, const KernelTable& table) noexcept;
// How many parts exist of `count`.
int context_tap_levels_parts(int channels, int count) noexcept;

// The branches' values after the scaling of ContextScaleF32, from their sums, in place:
//   data[x][c of branch b] = float(sums[x][c]) * float(gains[b] / (sum of b's squares))
//                                * channel_factors[b][c]
// With the window's area n and the branch's scale s the mean over the window is s * S / n, over
// the height s * sums / (n * oh), and the mean square s^2 * squares / (n^2 * values); hence
// gains[b] = n * values / (oh * s). A branch of zeros stays zero. The channels' factors are
// powers of two, so that the last product is exact: 2^-j for squares that were multiplied by
// 4^(k - j), and 4^k is in gains[b] then.
struct ContextScaleLevels {
    void* data;             // int32 sums before, float after
    std::ptrdiff_t column;  // elements from one column to the next
    const std::int64_t* squares;
    int ow;
    int branches;  // at most kMaxContextBranches
    int channels[kMaxContextBranches];
    int parts[kMaxContextBranches];  // squares that a branch's parts left
    double gains[kMaxContextBranches];
    const float* channel_factors[kMaxContextBranches];  // null: all are 1
};

template <class Visit>
void each_memory(ContextScaleLevels& a, Visit visit) {
    visit(Memory::output, a.data);
    visit(Memory::squares, a.squares);
}

// By columns.
bool narrow(ContextScaleLevels& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
