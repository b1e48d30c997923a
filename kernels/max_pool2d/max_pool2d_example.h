// The extents of the examples of max pools.
#pragma once

#include <cstddef>

namespace lprnet::kernels {

struct MaxPool2dExample {
    static constexpr int oh = 4, ow = 9, ic = 74, oc = 37, kh = 3, kw = 3;
    static constexpr int stride_h = 1, stride_w = 2, channel_stride = 2;
    static constexpr std::ptrdiff_t input_row = ((ow - 1) * stride_w + kw) * ic;
    static constexpr std::ptrdiff_t output_row = ow * oc;
    static constexpr std::size_t input_size = ((oh - 1) * stride_h + kh) * input_row;
    static constexpr std::size_t output_size = oh * output_row;

    template <class Call>
    static Call call() {
        return {.input = nullptr,
                .input_row = input_row,
                .output = nullptr,
                .output_row = output_row,
                .oh = oh,
                .ow = ow,
                .ic = ic,
                .oc = oc,
                .kh = kh,
                .kw = kw,
                .stride_h = stride_h,
                .stride_w = stride_w,
                .channel_stride = channel_stride};
    }
};

}  // namespace lprnet::kernels
