// What the builders of plans share.
#pragma once

#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/place_tensors.h"
#include "engine/plan/plan.h"

namespace lprnet {

template <class T>
const T* data_or_null(const std::vector<T>& v) noexcept {
    return v.empty() ? nullptr : v.data();
}

// Rounds floats up to whole cache lines.
inline std::size_t align_floats(std::size_t floats) noexcept {
    return align_up(floats * sizeof(float)) / sizeof(float);
}

// Without horizontal taps or borders all rows form one: the kernel then cuts tiles across row
// ends and none is left narrow.
void join_rows(auto& conv, const Tensor& in, const Tensor& out) noexcept {
    if (conv.kw != 1 || in.border_w != 0 || out.border_w != 0) return;
    conv.ow = out.h * out.w;
    conv.oh = 1;
}

// MaxPool2dF32 or MaxPool2dLevels.
template <class Pool>
Pool max_pool(const Node& node, const Tensor& in, const Tensor& out) noexcept {
    return {
        .input = nullptr,
        .input_row = in.row(),
        .output = nullptr,
        .output_row = out.row(),
        .oh = out.h,
        .ow = out.w,
        .ic = in.c,
        .oc = out.c,
        .kh = node.window.h,
        .kw = node.window.w,
        .stride_h = node.stride.h,
        .stride_w = node.stride.w,
        .channel_stride = node.channel_stride,
    };
}

inline std::string kernel_text(const char* kernel, int h, int w) {
    return std::string(kernel) + " " + std::to_string(h) + "x" + std::to_string(w);
}

}  // namespace lprnet
