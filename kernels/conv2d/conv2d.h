// What the direct convolutions of all precisions have in common: how the packed weights are cut.
#pragma once

namespace lprnet::kernels {

// A lane multiplies `group` adjacent activations at a time: 1 in float32, 2 or 4 quantized.
// Steps that one row of a kernel takes, filled up with weights of 0.
constexpr int conv2d_row_groups(int ic, int kw, int group) noexcept {
    return (ic * kw + group - 1) / group;
}

// How many of the last output channels a convolution computes with vectors along the taps:
// those beyond the last whole vector, if they would leave three quarters of one empty
// and if the kw * ic activations of a kernel row fill whole vectors. Else none.
inline constexpr int kRowChannelsShare = 4;
constexpr int conv2d_row_channels(int lanes, int group, int oc, int ic, int kw) noexcept {
    const int rest = oc % lanes;
    const bool whole = ic * kw % (lanes * group) == 0;
    return rest * kRowChannelsShare <= lanes && whole && lanes > 1 ? rest : 0;
}

}  // namespace lprnet::kernels
