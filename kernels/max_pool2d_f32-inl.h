// Max pool over a window of pixels, float32, NHWC, keeping every channel_stride-th
// channel. Vectors run along the channels, so any stride in pixels costs the same;
// the plan sorts channels so that the kept ones are adjacent and the stride is 1.
#pragma once

#include <cstddef>
#include <xsimd/xsimd.hpp>

#include "kernels/shapes.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// The maximum of V vectors of adjacent channels over one window.
template <class Isa, int V>
void max_pool2d_f32_vectors(const MaxPool2dF32& a, const float* window, float* output) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);

    Batch top[V];
    unrolled<V>([&](auto v) LPRNET_INLINE { top[v] = Batch::load_unaligned(window + v * kLanes); });
    for (int r = 0; r < a.kh; ++r) {
        const float* pixel = window + r * a.input_row;
        for (int s = 0; s < a.kw; ++s, pixel += a.ic) {
            unrolled<V>([&](auto v) LPRNET_INLINE {
                top[v] = xsimd::max(top[v], Batch::load_unaligned(pixel + v * kLanes));
            });
        }
    }
    unrolled<V>([&](auto v) LPRNET_INLINE { top[v].store_unaligned(output + v * kLanes); });
}

inline float max_pool2d_f32_scalar(const MaxPool2dF32& a, const float* window) noexcept {
    float top = *window;
    for (int r = 0; r < a.kh; ++r) {
        for (int s = 0; s < a.kw; ++s) {
            const float value = window[r * a.input_row + static_cast<std::ptrdiff_t>(s) * a.ic];
            top = value > top ? value : top;
        }
    }
    return top;
}

template <class Isa>
void max_pool2d_f32(const MaxPool2dF32& a) noexcept {
    constexpr int kLanes = static_cast<int>(xsimd::batch<float, typename Isa::arch>::size);
    constexpr int kVectors = 4;  // enough to hide the latency of max and the loop

    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* window = a.input + y * a.stride_h * a.input_row +
                                  static_cast<std::ptrdiff_t>(x) * a.stride_w * a.ic;
            float* out = a.output + y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc;
            int c = 0;
            if (a.channel_stride == 1) {
                for (; c + kVectors * kLanes <= a.oc; c += kVectors * kLanes) {
                    max_pool2d_f32_vectors<Isa, kVectors>(a, window + c, out + c);
                }
                for (; c + kLanes <= a.oc; c += kLanes) {
                    max_pool2d_f32_vectors<Isa, 1>(a, window + c, out + c);
                }
            }
            for (; c < a.oc; ++c) {
                out[c] = max_pool2d_f32_scalar(
                    a, window + static_cast<std::ptrdiff_t>(c) * a.channel_stride);
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::kernels
