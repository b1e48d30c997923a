// The arguments of every kernel: plain structs of pointers and extents.
//
// Activations are NHWC with tightly packed channels: channel c of pixel (y, x)
// lies at base + y * row + x * channels + c, all counted in floats. A kernel
// never pads: a caller that wants padding allocates a zeroed border and passes a
// pointer into it. No pointer may alias another unless a comment says so, and no
// kernel touches memory outside the extents given here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lprnet::kernels {

// output[y][x][o] = act(bias[o] + sum_{r,s,i} weight[o][i][r][s] * input[y+r][x+s][i])
// with stride 1; act is max(0, .) if relu, else the identity.
struct Conv2dF32 {
    const float* input;        // pixel (0, 0) of the window of output pixel (0, 0)
    std::ptrdiff_t input_row;  // floats from one input row to the next
    const float* weights;      // packed by pack_conv2d_f32 for the same table, 64-byte aligned
    const float* bias;         // padded like the weights' output channels
    float* output;
    std::ptrdiff_t output_row;  // floats from one output row to the next
    int oh, ow;                 // output extent in pixels, at least 1
    int ic, oc;                 // channels, at least 1
    int kh, kw;                 // taps, at least 1
    bool relu;
};

// How many of the last output channels conv2d_f32 computes with vectors along the taps:
// those beyond the last whole vector, if they would leave three quarters of one empty
// and if the kw * ic floats of a kernel row fill whole vectors. Else none.
inline constexpr int kRowChannelsShare = 4;
constexpr int conv2d_f32_row_channels(int lanes, int oc, int ic, int kw) noexcept {
    const int rest = oc % lanes;
    return rest * kRowChannelsShare <= lanes && ic * kw % lanes == 0 && lanes > 1 ? rest : 0;
}

// The same convolution with taps along one axis only, by Winograd's algorithm F(tile,
// points + 1 - tile), see winograd.h. A tile is `tile` adjacent outputs along that axis;
// the last one may be cut off. Tiles are numbered along the width first: [row of tiles][x]
// if vertical, else [y][column of tiles]. A call computes `tiles` of them from first_tile.
struct Conv1dWinogradF32 {
    const float* input;  // as in Conv2dF32
    std::ptrdiff_t input_row;
    const float* weights;          // packed by pack_conv1d_winograd_f32 for the same table
    std::ptrdiff_t point_weights;  // floats from the weights of one point to those of the next
    const float* bias;
    float* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int taps;       // at least 1
    bool vertical;  // taps x 1, else 1 x taps
    bool relu;
    int points;  // 4, 6 or 8
    int tile;    // points - 2, or points - 3 or points - 4 if points > 4
    int first_tile, tiles;
    int block;       // tiles at a time, at least 1
    float* scratch;  // conv1d_winograd_f32_scratch() floats, 64-byte aligned
};

// Tiles along an extent, and groups of taps.
constexpr int winograd_tiles(int extent, int tile) noexcept {
    return (extent + tile - 1) / tile;
}
constexpr int winograd_groups(int taps, int points, int tile) noexcept {
    return (taps + points - tile) / (points + 1 - tile);
}

// Floats from one point's matrix of rows x columns to the next: whole cache lines, an odd
// number of them, because equal addresses modulo 4096 compete for the same lines.
inline constexpr int kWinogradLine = 16;
constexpr std::ptrdiff_t winograd_plane(int rows, int columns) noexcept {
    const std::ptrdiff_t lines =
        (std::ptrdiff_t{rows} * columns + kWinogradLine - 1) / kWinogradLine;
    return (lines | 1) * kWinogradLine;
}
// Zeros in the place of a bias for the convolutions between the transforms.
constexpr std::ptrdiff_t winograd_zeros(int oc) noexcept {
    return winograd_plane(1, oc);
}

// output[y][x][c] = max_{r,s} input[y*stride_h+r][x*stride_w+s][c*channel_stride]
struct MaxPool2dF32 {
    const float* input;
    std::ptrdiff_t input_row;
    float* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;  // (oc - 1) * channel_stride < ic
    int kh, kw;
    int stride_h, stride_w;
    int channel_stride;
};

// One branch of LPRNet's global context. With the average-pooled map
//   p[y][x][c] = mean_{r,s} input[y*stride_h+r][x*stride_w+s][c],   y < oh, x < ow,
// the branch is normalised by its own mean square over the whole image and averaged over
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
    int channels;       // of the input
    int channels_used;  // the first of them, computed by this call
    int kh, kw;
    int stride_h, stride_w;
};

// Groups of channels whose squares are summed.
constexpr int context_squares(int lanes, int channels) noexcept {
    return (channels + lanes - 1) / lanes;
}

// Divides each branch of the joined context by its mean square, in place:
//   data[x][c of branch b] *= values[b] / (sum of branch b's squares)
// where values[b] is the number of squares that were summed. A branch of zeros, whose
// quotient is undefined, stays zero.
inline constexpr int kMaxContextBranches = 8;
struct ContextScaleF32 {
    float* data;
    std::ptrdiff_t column;  // floats from one column to the next
    const float* squares;   // of all branches, one after the other
    int ow;
    int branches;  // at most kMaxContextBranches
    int channels[kMaxContextBranches];
    int values[kMaxContextBranches];
};

}  // namespace lprnet::kernels
