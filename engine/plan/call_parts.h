// What the calls of both lowerings have in common: rows, extents, taps, and the weights of direct
// convolutions in float32.
#pragma once

#include <vector>

#include "engine/plan/lowering.h"
#include "kernels/kernel_arguments.h"

namespace lprnet {

template <kernels::Kernel K>
Lowered lowered(const kernels::CallOf<K>& call) {
    Lowered made;
    kernels::set_arguments<K>(made.call, call);
    return made;
}

// Of a convolution or a pool. Panels have no rows: 0.
template <class Call>
Call call_between(const Tensor& in, const Tensor& out) noexcept {
    Call call = {};
    call.input_row = in.nhwc() != nullptr ? in.nhwc()->row() : 0;
    call.output_row = out.nhwc() != nullptr ? out.nhwc()->row() : 0;
    call.oh = out.shape.h;
    call.ow = out.shape.w;
    call.ic = in.shape.c;
    call.oc = out.shape.c;
    return call;
}

// Of a convolution with its taps, but for those of Winograd.
template <class Call>
Call convolution(const Node& node, const Tensor& in, const Tensor& out) noexcept {
    Call call = call_between<Call>(in, out);
    call.kh = node.kh;
    call.kw = node.kw;
    if constexpr (requires { call.relu; }) call.relu = node.relu;
    return call;
}

// The same if all is in NHWC: without horizontal taps or borders all rows form one. The kernel then
// cuts tiles across row ends and none is left narrow.
template <class Call>
Call direct_convolution(const Node& node, const Tensor& in, const Tensor& out) noexcept {
    Call call = convolution<Call>(node, in, out);
    if (node.kw == 1 && in.nhwc()->border_w() == 0 && out.nhwc()->border_w() == 0) {
        call.ow *= call.oh;
        call.oh = 1;
    }
    return call;
}

template <class Call>
Call max_pool(const Node& node, const Tensor& in, const Tensor& out) noexcept {
    Call call = call_between<Call>(in, out);
    call.kh = node.window.h;
    call.kw = node.window.w;
    call.stride_h = node.stride.h;
    call.stride_w = node.stride.w;
    call.channel_stride = node.channel_stride;
    return call;
}

// Rows of windows of a branch of the context.
inline int context_rows(const Node& tap, const Tensor& in) noexcept {
    return windows_along(in.shape.h, tap.window.h, tap.stride.h);
}

// Of a branch of the context, but for the distance of its columns.
template <class Call>
Call context_tap(const Node& node, const Tensor& in, const Tensor& out) noexcept {
    Call call = {};
    call.input_row = in.nhwc()->row();
    call.oh = context_rows(node, in);
    call.ow = out.shape.w;
    call.channels = call.channels_used = out.shape.c;
    call.kh = node.window.h;
    call.kw = node.window.w;
    call.stride_h = node.stride.h;
    call.stride_w = node.stride.w;
    return call;
}

// Of the joined context, but for what each branch has besides its channels.
template <class Call>
Call context_scale(const Graph& graph, const Node& context) noexcept {
    Call call = {};
    call.column = context.shape.c;
    call.ow = context.shape.w;
    for (const int tap : context.inputs) {
        call.channels[call.branches++] = node_at(graph, tap).shape.c;
    }
    return call;
}

template <class T>
const T* data_or_null(const std::vector<T>& v) noexcept {
    return v.empty() ? nullptr : v.data();
}

// Weights of a convolution as the passes left them.
template <class T>
kernels::Stored<T> stored(const Node& conv, const T* oihw, const double* scale) noexcept {
    if (conv.in_stored_order) return {.oihw = oihw, .scale = scale};
    return {.oihw = oihw,
            .scale = scale,
            .output_order = data_or_null(conv.channel_order),
            .input_order = data_or_null(conv.input_order)};
}

// A direct convolution with float32 weights, and where they are to be packed.
template <kernels::Kernel K>
struct DirectF32 {
    // conv2d_f32 alone sets channels aside that do not fill a vector.
    static constexpr bool kRows = K == kernels::Kernel::conv2d_f32;

    kernels::CallOf<K> call;
    float* weights;
    float* bias;

    DirectF32(const kernels::KernelTable& table, const Node& node, const Tensor& in,
              const Tensor& out, PackedMemory& packed) noexcept
        : call(direct_convolution<kernels::CallOf<K>>(node, in, out)),
          weights(packed.take<float>(kernels::packed_conv2d_f32_weights(table, call.oc, call.ic,
                                                                        call.kh, call.kw, kRows))),
          bias(packed.take<float>(kernels::packed_conv2d_f32_bias(table, call.oc))) {
        call.weights = weights;
        call.bias = bias;
    }
    void pack(const kernels::KernelTable& table, const kernels::StoredWeights& from,
              const float* from_bias) const noexcept {
        kernels::pack_conv2d_f32(table, from, from_bias, call.oc, call.ic, call.kh, call.kw,
                                 weights, bias, kRows);
    }
};

}  // namespace lprnet
