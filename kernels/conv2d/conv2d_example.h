// The extents and numbers of the examples of direct convolutions.
#pragma once

#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/example.h"

namespace lprnet::kernels {

struct Conv2dExample {
    static constexpr int oh = 4, ow = 10, ic = 16, oc = 36, kh = 3, kw = 3;
    static constexpr std::ptrdiff_t input_row = (ow + kw - 1) * ic, output_row = ow * oc;
    static constexpr std::size_t input_size = (oh + kh - 1) * input_row;
    static constexpr std::size_t output_size = oh * output_row;
    static constexpr std::size_t weights_size = oc * ic * kh * kw;

    // All but what it points to.
    template <class Call>
    static Call call() noexcept {
        Call call = {};
        call.input_row = input_row;
        call.output_row = output_row;
        call.oh = oh;
        call.ow = ow;
        call.ic = ic;
        call.oc = oc;
        call.kh = kh;
        call.kw = kw;
        return call;
    }
};

struct PackedF32 {
    const float* weights;
    const float* bias;
};

inline PackedF32 add_packed_f32(Example& example, const KernelTable& table,
                                const std::vector<float>& weights, const std::vector<float>& bias,
                                bool rows) {
    using S = Conv2dExample;
    float* packed = example.memory.add<float>(
        packed_conv2d_f32_weights(table, S::oc, S::ic, S::kh, S::kw, rows));
    float* packed_bias = example.memory.add<float>(packed_conv2d_f32_bias(table, S::oc));
    pack_conv2d_f32(table, {weights.data()}, bias.data(), S::oc, S::ic, S::kh, S::kw, packed,
                    packed_bias, rows);
    return {packed, packed_bias};
}

}  // namespace lprnet::kernels
