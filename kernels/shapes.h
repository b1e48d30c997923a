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
    bool exact = false;  // for whoever chooses the kernel: this is a call of conv2d_f32_exact
};

// A lane multiplies `group` adjacent activations at a time: 1 in float32, 2 or 4 quantized.
// Steps that one row of a kernel takes, filled up with weights of 0.
constexpr int conv2d_row_steps(int ic, int kw, int group) noexcept {
    return (ic * kw + group - 1) / group;
}

// output[i] = min(max(round(input[i] * factor[i % period] + offset[i % period]), 0), 255), as
// elements of the table, with a rounding after each operation. `period` is a multiple of
// kQuantizePeriod.
inline constexpr int kQuantizePeriod = 16;
struct QuantizeF32 {
    const float* input;
    const float* factor;
    const float* offset;
    void* output;
    int period;
    int count;
};

// How many of the last output channels a convolution computes with vectors along the taps:
// those beyond the last whole vector, if they would leave three quarters of one empty
// and if the kw * ic activations of a kernel row fill whole vectors. Else none.
inline constexpr int kRowChannelsShare = 4;
constexpr int conv2d_row_channels(int lanes, int group, int oc, int ic, int kw) noexcept {
    const int rest = oc % lanes;
    const bool whole = ic * kw % (lanes * group) == 0;
    return rest * kRowChannelsShare <= lanes && whole && lanes > 1 ? rest : 0;
}

// Quantized tensors hold q = 0..255 for the real value scale * q. What an element is, one
// byte, two or four, is the table's choice (KernelTable::quantized), and whoever moves such tensors
// goes by its size; all tables compute the same q. A kernel may read, not use, up to three elements
// behind the last one of its input.
//
//   sum = bias[o] + sum_{r,s,i} weight[o][i][r][s] * input[y+r][x+s][i]      (int32)
//   output[y][x][o] = min(max(round(float(sum) * scale[o]), 0), 255)
// with stride 1; float() and round() go to the nearest, ties to even. No sum and no product with
// its scale may leave the range of int32.
struct Conv2dS8 {
    const void* input;  // rows, extents and channels as in Conv2dF32, counted in elements
    std::ptrdiff_t input_row;
    const std::int32_t* weights;  // packed by pack_conv2d_s8 for the same table, 64-byte aligned
    const std::int32_t* bias;     // in the order of the packed weights, like scale
    const float* scale;
    void* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
};

// The same for a layer whose weights stay float32:
//   sum = bias[o]; sum = sum + weight[o][i][r][s] * input[y+r][x+s][i] for r, s, i, i the fastest
//   output[y][x][o] = min(max(round(sum), 0), 255)
// with a rounding to float32 after each product and each sum, one after the other, so that all
// tables compute the same. No sum may leave the range of float32. A kernel reads nothing behind
// its input.
struct Conv2dLevelsF32 {
    const void* input;  // rows, extents and channels as in Conv2dS8
    std::ptrdiff_t input_row;
    const float* weights;  // packed by pack_conv2d_f32 for the same table with rows = false
    const float* bias;     // padded like the weights' output channels
    void* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
};

// The convolution of Conv2dF32 with taps along one axis only, by Winograd's algorithm F(tile,
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
    int points, tile;  // one of kWinogradVariants, winograd.h
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
// Weights to the packed weights of that algorithm, in double: of some inputs with one group of
// taps, and of up to kWinogradTogether output channels.
//   output[p][i][c] = sum_t matrices->weight[p][t] * weights[i][t][c] * scale[c]
// Channels that are not there, up to kWinogradTogether, may hold any number.
inline constexpr int kWinogradTogether = 16;
struct WinogradMatrices;  // winograd.h
struct WinogradWeightsF32 {
    const WinogradMatrices* matrices;  // of `points`
    const float* weights;              // [inputs][taps][kWinogradTogether]
    const double* scale;               // [kWinogradTogether]
    float* output;
    std::ptrdiff_t point_stride;  // floats from one point to the next
    std::ptrdiff_t input_stride;  // the same for inputs and channels
    std::ptrdiff_t channel_stride;
    int points, taps, inputs;
    int channels;  // 1 to kWinogradTogether
};

// Zeros in the place of a bias for the convolutions between the transforms.
constexpr std::ptrdiff_t winograd_zeros(int oc) noexcept {
    return winograd_plane(1, oc);
}

// The convolution of Conv2dF32, by the weights that are not zero alone: see sparse.h. A call
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

// output[y][x][c] = max_{r,s} input[y*stride_h+r][x*stride_w+s][c*channel_stride]
template <class T>
struct MaxPool2d {
    const T* input;
    std::ptrdiff_t input_row;
    T* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;  // (oc - 1) * channel_stride < ic
    int kh, kw;
    int stride_h, stride_w;
    int channel_stride;
};
using MaxPool2dF32 = MaxPool2d<float>;

// The same for a quantized tensor, whose elements are the table's.
struct MaxPool2dLevels {
    const void* input;
    std::ptrdiff_t input_row;
    void* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
    int stride_h, stride_w;
    int channel_stride;
};

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

// The same context from quantized tensors, exactly. With the sums of each window
//   S[y][x][c] = sum_{r,s} input[y*stride_h+r][x*stride_w+s][c]
// a tap computes, in integers,
//   sums[x][c] = sum_y S[y][x][c]
//   *squares = sum_{y,x,c} S[y][x][c]^2 * square_factors[c]
// The factors are 4^k where channels have steps of their own, 2^k times the smallest. A window has
// at most kMaxContextWindowLevels pixels; the sum may not leave int64.
inline constexpr int kMaxContextWindowLevels = 128;
struct ContextTapLevels {
    const void* input;
    std::ptrdiff_t input_row;
    std::int32_t* sums;
    std::ptrdiff_t sums_column;  // elements from one column to the next
    std::int64_t* squares;       // one for each call
    int oh, ow;
    int channels;       // of the input
    int channels_used;  // the first of them, computed by this call
    int kh, kw;
    int stride_h, stride_w;
    const std::uint32_t* square_factors = nullptr;  // of channels_used; null: all are 1
};

// The branches' values after the scaling of ContextScaleF32, from their sums, in place:
//   data[x][c of branch b] = float(sums[x][c]) * float(factors[b] / (sum of b's squares))
//                                * channel_factors[b][c]
// With the window's area n and the branch's scale s the mean over the window is s * S / n, over
// the height s * sums / (n * oh), and the mean square s^2 * squares / (n^2 * values); hence
// factors[b] = n * values / (oh * s). A branch of zeros stays zero. The channels' factors are
// powers of two, so that the last product is exact: 2^-j for squares that were multiplied by
// 4^(k - j), and 4^k is in factors[b] then.
struct ContextScaleLevels {
    void* data;             // int32 sums before, float after
    std::ptrdiff_t column;  // elements from one column to the next
    const std::int64_t* squares;
    int ow;
    int branches;  // at most kMaxContextBranches
    int channels[kMaxContextBranches];
    int parts[kMaxContextBranches];  // squares that a branch's calls left
    double factors[kMaxContextBranches];
    const float* channel_factors[kMaxContextBranches];  // null: all are 1
};

}  // namespace lprnet::kernels
