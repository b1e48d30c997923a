// What the builders of plans share.
#pragma once

#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/place_tensors.h"
#include "engine/plan/plan.h"
#include "engine/plan/step.h"

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
    if (conv.kw != 1 || in.nhwc()->border_w() != 0 || out.nhwc()->border_w() != 0) return;
    conv.ow = out.shape.h * out.shape.w;
    conv.oh = 1;
}

// Bytes of what a window of `node` reads before its first pixel in the border.
inline std::size_t window_offset(const Node& node, const Tensor& in) noexcept {
    const NhwcLayout& layout = *in.nhwc();
    return static_cast<std::size_t>(layout.first() - layout.at(-node.pad_h, -node.pad_w, 0)) *
           in.element.bytes;
}

// MaxPool2dF32 or MaxPool2dLevels.
template <class Pool>
Pool max_pool(const Node& node, const Tensor& in, const Tensor& out) noexcept {
    return {
        .input = nullptr,
        .input_row = in.nhwc()->row(),
        .output = nullptr,
        .output_row = out.nhwc()->row(),
        .oh = out.shape.h,
        .ow = out.shape.w,
        .ic = in.shape.c,
        .oc = out.shape.c,
        .kh = node.window.h,
        .kw = node.window.w,
        .stride_h = node.stride.h,
        .stride_w = node.stride.w,
        .channel_stride = node.channel_stride,
    };
}

// A step that is being made.
struct NewStep {
    StepInfo info;
    kernels::KernelCall call;
    std::vector<int> context_branches;  // channels of each, if it joins the context
};

inline void append(NewStep made, Plan& plan) {
    Step step;
    step.call = made.call;
    const Tensor& output = made.info.output;
    const NhwcLayout* layout = output.nhwc();
    if (layout != nullptr && (layout->border_h() > 0 || layout->border_w() > 0)) {
        step.border = output;
    }
    if (!made.context_branches.empty()) {
        step.context = {output, std::move(made.context_branches)};
    }
    plan.steps.push_back(std::move(step));
    plan.info.push_back(std::move(made.info));
}

inline std::string kernel_text(const char* kernel, int h, int w) {
    return std::string(kernel) + " " + std::to_string(h) + "x" + std::to_string(w);
}

}  // namespace lprnet
