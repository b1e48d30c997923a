// Max pool over a window of pixels, NHWC, keeping every channel_stride-th channel, of floats
// or of quantized elements. Vectors run along the channels, so any stride in pixels costs the same;
// the plan sorts channels so that the kept ones are adjacent and the stride is 1.
#pragma once

#include <cstddef>
#include <type_traits>
#include <xsimd/xsimd.hpp>

#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// The arguments of MaxPool2dF32 and MaxPool2dLevels with typed elements.
template <class T>
struct MaxPool2d {
    const T* input;
    std::ptrdiff_t input_row;
    T* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int kh, kw;
    int stride_h, stride_w;
    int channel_stride;
};

// The maximum of V vectors of adjacent channels over one window.
template <class Batch, int V, class T = typename Batch::value_type>
void max_pool2d_vectors(const MaxPool2d<T>& a, const T* window, T* output) noexcept {
    constexpr int kLanes = static_cast<int>(Batch::size);

    Batch top[V];
    unrolled<V>([&](auto v) LPRNET_INLINE { top[v] = Batch::load_unaligned(window + v * kLanes); });
    for (int r = 0; r < a.kh; ++r) {
        const T* pixel = window + r * a.input_row;
        for (int s = 0; s < a.kw; ++s, pixel += a.ic) {
            unrolled<V>([&](auto v) LPRNET_INLINE {
                top[v] = xsimd::max(top[v], Batch::load_unaligned(pixel + v * kLanes));
            });
        }
    }
    unrolled<V>([&](auto v) LPRNET_INLINE { top[v].store_unaligned(output + v * kLanes); });
}

// The maxima over three adjacent columns of one row: V vectors of channels for W windows that
// are Stride columns apart. Neighbors share columns, so each is loaded once.
template <class Batch, int V, int W, int Stride, class T = typename Batch::value_type>
LPRNET_INLINE inline void max_pool2d_row(const MaxPool2d<T>& a, const T* pixel,
                                         Batch (&top)[W][V]) noexcept {
    constexpr int kLanes = static_cast<int>(Batch::size);
    unrolled<V>([&](auto v) LPRNET_INLINE {
        Batch column[Stride * (W - 1) + 3];
        unrolled<Stride*(W - 1) + 3>([&](auto c) LPRNET_INLINE {
            column[c] = Batch::load_unaligned(pixel + c * std::ptrdiff_t{a.ic} + v * kLanes);
        });
        unrolled<W>([&](auto w) LPRNET_INLINE {
            constexpr int kFirst = Stride * w;
            top[w][v] =
                xsimd::max(xsimd::max(column[kFirst], column[kFirst + 1]), column[kFirst + 2]);
        });
    });
}

// W adjacent columns of 3x3 windows, from top to bottom: the maxima of the last two rows stay
// in registers, so that a row is read once and not three times.
template <class Batch, int V, int W, int Stride, class T = typename Batch::value_type>
void max_pool2d_strip(const MaxPool2d<T>& a, const T* input, T* output) noexcept {
    constexpr int kLanes = static_cast<int>(Batch::size);
    Batch upper[W][V], middle[W][V], lower[W][V];
    max_pool2d_row<Batch, V, W, Stride>(a, input, upper);
    max_pool2d_row<Batch, V, W, Stride>(a, input + a.input_row, middle);
    input += 2 * a.input_row;
    for (int y = 0; y < a.oh; ++y, input += a.input_row, output += a.output_row) {
        max_pool2d_row<Batch, V, W, Stride>(a, input, lower);
        unrolled<W>([&](auto w) LPRNET_INLINE {
            unrolled<V>([&](auto v) LPRNET_INLINE {
                xsimd::max(xsimd::max(upper[w][v], middle[w][v]), lower[w][v])
                    .store_unaligned(output + w * std::ptrdiff_t{a.oc} + v * kLanes);
                upper[w][v] = middle[w][v];
                middle[w][v] = lower[w][v];
            });
        });
    }
}

// All windows of V vectors of channels.
template <class Batch, int V, int Stride, class T = typename Batch::value_type>
void max_pool2d_strips(const MaxPool2d<T>& a, const T* input, T* output) noexcept {
    constexpr int kColumns = 4;  // 8 or 16 registers for the two rows, as V is 1 or 2
    int x = 0;
    for (; x + kColumns <= a.ow; x += kColumns) {
        max_pool2d_strip<Batch, V, kColumns, Stride>(a, input, output);
        input += std::ptrdiff_t{kColumns} * Stride * a.ic;
        output += std::ptrdiff_t{kColumns} * a.oc;
    }
    for (; x < a.ow; ++x) {
        max_pool2d_strip<Batch, V, 1, Stride>(a, input, output);
        input += std::ptrdiff_t{Stride} * a.ic;
        output += a.oc;
    }
}

template <class T>
T max_pool2d_scalar(const MaxPool2d<T>& a, const T* window) noexcept {
    T top = *window;
    for (int r = 0; r < a.kh; ++r) {
        for (int s = 0; s < a.kw; ++s) {
            const T value = window[r * a.input_row + static_cast<std::ptrdiff_t>(s) * a.ic];
            top = value > top ? value : top;
        }
    }
    return top;
}

// 16 bytes, for fewer channels than a vector has lanes, which is up to 64 of them.
template <class T>
using ShortBatch = xsimd::make_sized_batch_t<T, 16 / sizeof(T)>;
template <class Batch, class T = typename Batch::value_type>
constexpr bool kHasShort = !std::is_void_v<ShortBatch<T>> && Batch::size > 16 / sizeof(T);

// Channels from `first` on, window by window.
template <class Batch, class T = typename Batch::value_type>
void max_pool2d_windows(const MaxPool2d<T>& a, int y, int first) noexcept {
    constexpr int kLanes = static_cast<int>(Batch::size);
    constexpr int kVectors = 4;  // enough to hide the latency of max and the loop

    for (int x = 0; x < a.ow; ++x) {
        const T* window = a.input + y * a.stride_h * a.input_row +
                          static_cast<std::ptrdiff_t>(x) * a.stride_w * a.ic;
        T* out = a.output + y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc;
        int c = first;
        if (a.channel_stride == 1) {
            for (; c + kVectors * kLanes <= a.oc; c += kVectors * kLanes) {
                max_pool2d_vectors<Batch, kVectors>(a, window + c, out + c);
            }
            for (; c + kLanes <= a.oc; c += kLanes) {
                max_pool2d_vectors<Batch, 1>(a, window + c, out + c);
            }
            if constexpr (kHasShort<Batch>) {
                constexpr int kShort = 16 / sizeof(T);
                for (; c + kShort <= a.oc; c += kShort) {
                    max_pool2d_vectors<ShortBatch<T>, 1>(a, window + c, out + c);
                }
            }
        }
        for (; c < a.oc; ++c) {
            out[c] =
                max_pool2d_scalar(a, window + static_cast<std::ptrdiff_t>(c) * a.channel_stride);
        }
    }
}

// V vectors of channels from `c` on.
template <class Batch, int V, class T = typename Batch::value_type>
void max_pool2d_channels(const MaxPool2d<T>& a, int c) noexcept {
    if (a.stride_w == 1) {
        max_pool2d_strips<Batch, V, 1>(a, a.input + c, a.output + c);
    } else {
        max_pool2d_strips<Batch, V, 2>(a, a.input + c, a.output + c);
    }
}

// V vectors of channels at a time from `first` on, as often as there are so many; returns the
// first channel that is left.
template <class Batch, int V, class T = typename Batch::value_type>
int max_pool2d_by_strips(const MaxPool2d<T>& a, int first) noexcept {
    constexpr int kChannels = V * static_cast<int>(Batch::size);
    int c = first;
    for (; c + kChannels <= a.oc; c += kChannels) max_pool2d_channels<Batch, V>(a, c);
    return c;
}

// The channels that are no whole vector, in one that ends with the last of them: a maximum that is
// computed twice is the same.
template <class Batch, class T = typename Batch::value_type>
int max_pool2d_last_strips(const MaxPool2d<T>& a, int first) noexcept {
    constexpr int kChannels = static_cast<int>(Batch::size);
    if (first == a.oc || a.oc < kChannels) return first;
    max_pool2d_channels<Batch, 1>(a, a.oc - kChannels);
    return a.oc;
}

template <class Isa, class T>
void max_pool2d(const MaxPool2d<T>& a) noexcept {
    using Batch = xsimd::batch<T, typename Isa::arch>;
    int c = 0;
    if (a.channel_stride == 1 && a.kh == 3 && a.kw == 3 && a.stride_h == 1 && a.stride_w <= 2) {
        constexpr bool kManyRegisters = Isa::tile_pixels > 6;  // 32, not 16
        if constexpr (kManyRegisters) c = max_pool2d_by_strips<Batch, 2>(a, c);
        c = max_pool2d_by_strips<Batch, 1>(a, c);
        c = max_pool2d_last_strips<Batch>(a, c);
        if constexpr (kHasShort<Batch>) {
            c = max_pool2d_by_strips<ShortBatch<T>, 1>(a, c);
            c = max_pool2d_last_strips<ShortBatch<T>>(a, c);
        }
    }
    if (c == a.oc) return;
    for (int y = 0; y < a.oh; ++y) max_pool2d_windows<Batch>(a, y, c);
}

// Of a call in elements of type T.
template <class Isa, class T, class Call>
void max_pool2d_call(const Call& a) noexcept {
    max_pool2d<Isa, T>({.input = static_cast<const T*>(a.input),
                        .input_row = a.input_row,
                        .output = static_cast<T*>(a.output),
                        .output_row = a.output_row,
                        .oh = a.oh,
                        .ow = a.ow,
                        .ic = a.ic,
                        .oc = a.oc,
                        .kh = a.kh,
                        .kw = a.kw,
                        .stride_h = a.stride_h,
                        .stride_w = a.stride_w,
                        .channel_stride = a.channel_stride});
}

}  // namespace
}  // namespace lprnet::kernels
