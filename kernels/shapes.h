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
// the branch is normalised by its own mean square over the whole image and
// averaged over the height, which commutes with the 1x1 convolution behind it:
//   output[x][c] = mean_y p[y][x][c] / mean_{y,x,c} p[y][x][c]^2
// An all-zero map, whose quotient is undefined, gives zeros.
struct ContextTapF32 {
    const float* input;
    std::ptrdiff_t input_row;
    float* output;
    std::ptrdiff_t output_column;  // floats from one output column to the next
    int oh, ow;
    int channels;
    int kh, kw;
    int stride_h, stride_w;
};

}  // namespace lprnet::kernels
