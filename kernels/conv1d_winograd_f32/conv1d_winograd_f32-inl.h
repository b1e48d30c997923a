// One-dimensional Winograd convolution with bias and ReLU, float32, NHWC: 3x1, 1x3, 1x4,
// 13x1 and whatever else has taps along one axis. the header explains the algorithm.
//
// A block of tiles at a time: the input transform writes one matrix of tiles x K inputs for
// each point, a 1x1 convolution turns each into tiles x oc, the output transform adds the
// points up. A block's matrices stay in the second-level cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <xsimd/xsimd.hpp>

#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// The transforms are written once, for vectors and for the single channels that are left.
template <class Isa>
struct WinogradVector {
    using Type = xsimd::batch<float, typename Isa::arch>;
    static constexpr int lanes = static_cast<int>(Type::size);
    static Type load(const float* p) noexcept { return Type::load_unaligned(p); }
    static void store(float* p, Type v) noexcept { v.store_unaligned(p); }
    static Type fma(float a, Type b, Type c) noexcept { return Isa::fma(Type(a), b, c); }
    static Type relu(Type v) noexcept { return xsimd::max(v, Type(0.0f)); }
};

struct WinogradScalar {
    using Type = float;
    static constexpr int lanes = 1;
    static float load(const float* p) noexcept { return *p; }
    static void store(float* p, float v) noexcept { *p = v; }
    static float fma(float a, float b, float c) noexcept { return a * b + c; }
    static float relu(float v) noexcept { return v > 0.0f ? v : 0.0f; }
};

// Coefficients of sum_i c[i] d[i] whose last one is 1.
template <class Vector, int Pairs, int Without, int Count>
LPRNET_INLINE inline typename Vector::Type winograd_even(const typename Vector::Type* d) noexcept {
    constexpr auto kProduct = winograd_product(Pairs, Without);
    typename Vector::Type sum = d[2 * (Count - 1)];
    unrolled<Count - 1>([&](auto i) LPRNET_INLINE {
        sum = Vector::fma(static_cast<float>(kProduct[i]), d[2 * i], sum);
    });
    return sum;
}

// B^T of one tile's P inputs, `stride` floats apart, of which `valid` exist and the rest
// are zeros; point j goes to output + j * plane.
template <class Vector, int P, bool Whole>
LPRNET_INLINE inline void winograd_input(const float* input, std::ptrdiff_t stride, int valid,
                                         float* output, std::ptrdiff_t plane) noexcept {
    using Type = typename Vector::Type;
    constexpr int kPairs = winograd_pairs(P);
    constexpr int kFirst = winograd_first_pair(P);
    Type d[P];
    unrolled<P>([&](auto i) LPRNET_INLINE {
        if constexpr (Whole) {
            d[i] = Vector::load(input + i * stride);
        } else {
            d[i] = i < valid ? Vector::load(input + i * stride) : Type(0.0f);
        }
    });
    if constexpr (kFirst == 1) {
        Vector::store(output, winograd_even<Vector, kPairs, -1, kPairs + 1>(d));
    }
    unrolled<kPairs>([&](auto p) LPRNET_INLINE {
        const Type even = winograd_even<Vector, kPairs, p, kPairs>(d + kFirst + 1);
        const Type odd = winograd_even<Vector, kPairs, p, kPairs>(d + kFirst);
        constexpr float kPoint = static_cast<float>(kWinogradPairs[p]);
        Vector::store(output + (kFirst + 2 * p) * plane, Vector::fma(kPoint, odd, even));
        Vector::store(output + (kFirst + 2 * p + 1) * plane, Vector::fma(-kPoint, odd, even));
    });
    Vector::store(output + (P - 1) * plane,
                  winograd_even<Vector, kPairs, -1, kPairs + 1>(d + kFirst));
}

constexpr float winograd_power(double base, int exponent) noexcept {
    double power = 1.0;
    for (int i = 0; i < exponent; ++i) power *= base;
    return static_cast<float>(power);
}

// A^T of one tile with bias and ReLU: M outputs `stride` floats apart, of which the first
// `valid` are stored.
template <class Vector, int P, int M, bool Whole>
LPRNET_INLINE inline void winograd_output(const float* input, std::ptrdiff_t plane,
                                          const float* bias, bool relu, float* output,
                                          std::ptrdiff_t stride, int valid) noexcept {
    using Type = typename Vector::Type;
    constexpr int kPairs = winograd_pairs(P);
    constexpr int kFirst = winograd_first_pair(P);
    Type sum[kPairs], difference[kPairs];
    unrolled<kPairs>([&](auto p) LPRNET_INLINE {
        const Type plus = Vector::load(input + (kFirst + 2 * p) * plane);
        const Type minus = Vector::load(input + (kFirst + 2 * p + 1) * plane);
        sum[p] = plus + minus;
        difference[p] = plus - minus;
    });
    const Type b = Vector::load(bias);
    unrolled<M>([&](auto i) LPRNET_INLINE {
        Type y = b;
        if constexpr (i == 0 && kFirst == 1) y += Vector::load(input);
        if constexpr (i == M - 1) y += Vector::load(input + (P - 1) * plane);
        unrolled<kPairs>([&](auto p) LPRNET_INLINE {
            constexpr float kPower = winograd_power(kWinogradPairs[p], i);
            y = Vector::fma(kPower, i % 2 == 0 ? sum[p] : difference[p], y);
        });
        if (relu) y = Vector::relu(y);
        if (Whole || i < valid) Vector::store(output + i * stride, y);
    });
}

// Where a tile's first input and output lie, and how many of them exist.
struct WinogradTile {
    const float* input;
    float* output;
    int inputs, outputs;
};

inline WinogradTile winograd_tile(const Conv1dWinogradF32& a, int tile) noexcept {
    if (a.vertical) {
        const int y = tile / a.ow * a.tile;
        const std::ptrdiff_t x = tile % a.ow;
        return {a.input + y * a.input_row + x * a.ic, a.output + y * a.output_row + x * a.oc,
                a.oh + a.taps - 1 - y, a.oh - y};
    }
    const int along = winograd_tiles(a.ow, a.tile);
    const int y = tile / along;
    const int x = tile % along * a.tile;
    return {a.input + y * a.input_row + std::ptrdiff_t{x} * a.ic,
            a.output + y * a.output_row + std::ptrdiff_t{x} * a.oc, a.ow + a.taps - 1 - x,
            a.ow - x};
}

// Calls transform(vector, channel) for so many channels, a vector of them at a time. The last ones
// that are no whole vector are computed in one that begins before them, twice to the same numbers,
// or one by one where there are fewer than a vector has.
template <class Vector, class Transform>
LPRNET_INLINE inline void winograd_channels(int channels, Transform transform) noexcept {
    int c = 0;
    for (; c + Vector::lanes <= channels; c += Vector::lanes) transform(Vector(), c);
    if (c < channels && c > 0) {
        transform(Vector(), channels - Vector::lanes);
        return;
    }
    for (; c < channels; ++c) transform(WinogradScalar(), c);
}

template <class Isa, int P>
void winograd_input_tile(const Conv1dWinogradF32& a, const float* input, int valid, float* output,
                         std::ptrdiff_t plane) noexcept {
    const std::ptrdiff_t stride = a.vertical ? a.input_row : a.ic;
    if (valid >= P) {
        winograd_channels<WinogradVector<Isa>>(a.ic, [&](auto vector, int c) LPRNET_INLINE {
            winograd_input<decltype(vector), P, true>(input + c, stride, valid, output + c, plane);
        });
    } else {
        winograd_channels<WinogradVector<Isa>>(a.ic, [&](auto vector, int c) LPRNET_INLINE {
            winograd_input<decltype(vector), P, false>(input + c, stride, valid, output + c, plane);
        });
    }
}

template <class Isa, int P, int M>
void winograd_output_tile(const Conv1dWinogradF32& a, const float* input, std::ptrdiff_t plane,
                          float* output, int valid) noexcept {
    const std::ptrdiff_t stride = a.vertical ? a.output_row : a.oc;
    if (valid >= M) {
        winograd_channels<WinogradVector<Isa>>(a.oc, [&](auto vector, int c) LPRNET_INLINE {
            winograd_output<decltype(vector), P, M, true>(input + c, plane, a.bias + c, a.relu,
                                                          output + c, stride, valid);
        });
    } else {
        winograd_channels<WinogradVector<Isa>>(a.oc, [&](auto vector, int c) LPRNET_INLINE {
            winograd_output<decltype(vector), P, M, false>(input + c, plane, a.bias + c, a.relu,
                                                           output + c, stride, valid);
        });
    }
}

template <class Isa, int P, int M>
void conv1d_winograd_f32_tiles(const Conv1dWinogradF32& a) noexcept {
    constexpr int kTaps = P + 1 - M;
    const int groups = winograd_groups(a.taps, P, M);
    const int k = groups * a.ic;
    const std::ptrdiff_t stride = a.vertical ? a.input_row : a.ic;
    const std::ptrdiff_t input_plane = winograd_plane(a.block, k);
    const std::ptrdiff_t output_plane = winograd_plane(a.block, a.oc);
    float* const transformed = a.scratch;
    float* const products = transformed + P * input_plane;
    float* const no_bias = products + P * output_plane;
    std::fill_n(no_bias, winograd_zeros(a.oc), 0.0f);
    Conv2dF32 point = {
        .input = nullptr,
        .input_row = 0,
        .weights = nullptr,
        .bias = no_bias,
        .output = nullptr,
        .output_row = 0,
        .oh = 1,
        .ow = 0,
        .ic = k,
        .oc = a.oc,
        .kh = 1,
        .kw = 1,
        .relu = false,
    };

    const int end = a.first_tile + a.tiles;
    for (int first = a.first_tile; first < end; first += a.block) {
        const int count = std::min(a.block, end - first);
        for (int t = 0; t < count; ++t) {
            const WinogradTile tile = winograd_tile(a, first + t);
            for (int g = 0; g < groups; ++g) {
                winograd_input_tile<Isa, P>(
                    a, tile.input + g * kTaps * stride, tile.inputs - g * kTaps,
                    transformed + std::ptrdiff_t{t} * k + g * a.ic, input_plane);
            }
        }
        point.ow = count;
        for (int p = 0; p < P; ++p) {
            point.input = transformed + p * input_plane;
            point.output = products + p * output_plane;
            point.weights = a.weights + p * a.point_weights;
            OwnKernels::conv2d_f32(point);
        }
        for (int t = 0; t < count; ++t) {
            const WinogradTile tile = winograd_tile(a, first + t);
            winograd_output_tile<Isa, P, M>(a, products + std::ptrdiff_t{t} * a.oc, output_plane,
                                            tile.output, tile.outputs);
        }
    }
}

template <class Isa>
void conv1d_winograd_f32(const Conv1dWinogradF32& a) noexcept {
    unrolled<static_cast<int>(std::size(kWinogradVariants))>([&](auto i) {
        constexpr WinogradVariant kVariant = kWinogradVariants[i];
        if (a.points == kVariant.points && a.tile == kVariant.tile) {
            conv1d_winograd_f32_tiles<Isa, kVariant.points, kVariant.tile>(a);
        }
    });
}

}  // namespace
}  // namespace lprnet::kernels
