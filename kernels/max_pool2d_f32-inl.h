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

// The maximum of V vectors of adjacent channels over one column of a window.
template <class Isa, int V>
LPRNET_INLINE inline void max_pool2d_f32_column(
    const MaxPool2dF32& a, const float* pixel,
    xsimd::batch<float, typename Isa::arch> (&top)[V]) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);
    unrolled<V>([&](auto v) LPRNET_INLINE { top[v] = Batch::load_unaligned(pixel + v * kLanes); });
    for (int r = 1; r < a.kh; ++r) {
        pixel += a.input_row;
        unrolled<V>([&](auto v) LPRNET_INLINE {
            top[v] = xsimd::max(top[v], Batch::load_unaligned(pixel + v * kLanes));
        });
    }
}

// A row of windows three columns wide, one or two columns apart: each column's maximum is
// found once and serves every window that holds it.
template <class Isa, int V, int Stride>
void max_pool2d_f32_row_of_3(const MaxPool2dF32& a, const float* input, float* output) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);
    Batch left[V], middle[V], right[V];
    max_pool2d_f32_column<Isa, V>(a, input, left);
    input += a.ic;
    if constexpr (Stride == 1) {
        max_pool2d_f32_column<Isa, V>(a, input, middle);
        input += a.ic;
    }
    for (int x = 0; x < a.ow; ++x, output += a.oc) {
        if constexpr (Stride == 2) {
            max_pool2d_f32_column<Isa, V>(a, input, middle);
            input += a.ic;
        }
        max_pool2d_f32_column<Isa, V>(a, input, right);
        input += a.ic;
        unrolled<V>([&](auto v) LPRNET_INLINE {
            xsimd::max(xsimd::max(left[v], middle[v]), right[v])
                .store_unaligned(output + v * kLanes);
            left[v] = Stride == 1 ? middle[v] : right[v];
            if constexpr (Stride == 1) middle[v] = right[v];
        });
    }
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

// Channels from `first` on, window by window.
template <class Isa>
void max_pool2d_f32_windows(const MaxPool2dF32& a, int y, int first) noexcept {
    constexpr int kLanes = static_cast<int>(xsimd::batch<float, typename Isa::arch>::size);
    constexpr int kVectors = 4;  // enough to hide the latency of max and the loop

    for (int x = 0; x < a.ow; ++x) {
        const float* window = a.input + y * a.stride_h * a.input_row +
                              static_cast<std::ptrdiff_t>(x) * a.stride_w * a.ic;
        float* out = a.output + y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc;
        int c = first;
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

template <class Isa>
void max_pool2d_f32(const MaxPool2dF32& a) noexcept {
    constexpr int kChannels = 4 * static_cast<int>(xsimd::batch<float, typename Isa::arch>::size);
    const bool by_columns = a.channel_stride == 1 && a.kw == 3 && a.stride_w <= 2;

    for (int y = 0; y < a.oh; ++y) {
        const float* input = a.input + y * a.stride_h * a.input_row;
        float* output = a.output + y * a.output_row;
        int c = 0;
        for (; by_columns && c + kChannels <= a.oc; c += kChannels) {
            if (a.stride_w == 1) {
                max_pool2d_f32_row_of_3<Isa, 4, 1>(a, input + c, output + c);
            } else {
                max_pool2d_f32_row_of_3<Isa, 4, 2>(a, input + c, output + c);
            }
        }
        if (c < a.oc) max_pool2d_f32_windows<Isa>(a, y, c);
    }
}

}  // namespace
}  // namespace lprnet::kernels
