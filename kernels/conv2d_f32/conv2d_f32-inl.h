// Direct convolution with bias and ReLU in float32; conv2d-inl.h has the loops.
#pragma once

#include <cstddef>
#include <xsimd/xsimd.hpp>

#include "kernels/conv2d/conv2d-inl.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
concept MultipliesByLane = requires(xsimd::batch<float, typename Isa::arch> x) {
    Isa::template fma_lane<0>(x, x, x);
};

template <class Isa>
struct DotF32 {
    using Call = Conv2dF32;
    using Element = float;
    using Word = float;
    using Sum = xsimd::batch<float, typename Isa::arch>;
    static constexpr int group = 1;
    static constexpr int block_vectors = Isa::block_vectors;
    static constexpr int tile_pixels(int) { return LPRNET_TILE_PIXELS(Isa::tile_pixels); }
    static constexpr int lanes = static_cast<int>(Sum::size);
    static constexpr bool sums_rows = true;
    static constexpr int lane_groups = MultipliesByLane<Isa> ? lanes : 1;

    static const float* input(const Call& a) noexcept { return a.input; }
    static float* output(const Call& a) noexcept { return a.output; }
    static const float* weights(const Call& a) noexcept { return a.weights; }

    static Sum start(const Call& a, int slot) noexcept {
        return Sum::load_unaligned(a.bias + slot);
    }
    static Sum load(const float* w) noexcept { return Sum::load_aligned(w); }
    static Sum load_activations(const float* x) noexcept { return Sum::load_unaligned(x); }
    static Sum broadcast(const float* x) noexcept { return Sum(*x); }
    static Sum add(Sum sum, Sum x, Sum w) noexcept { return Isa::fma(x, w, sum); }
    template <int S>
    static Sum load_lanes(const float* x) noexcept {
        return load_activations(x);
    }
    template <int S>
    static Sum add_lane(Sum sum, Sum x, Sum w) noexcept {
        return Isa::template fma_lane<S>(x, w, sum);
    }

    template <int V, int P>
    LPRNET_INLINE static void finish(const Call& a, int, Sum (&sums)[P][V]) noexcept {
        if (!a.relu) return;
        const Sum zero(0.0f);
        unrolled<P>([&](auto p) LPRNET_INLINE {
            unrolled<V>([&](auto v) LPRNET_INLINE { sums[p][v] = xsimd::max(sums[p][v], zero); });
        });
    }
    template <int V>
    LPRNET_INLINE static void store(const Sum (&sums)[V], float* out) noexcept {
        unrolled<V>([&](auto v) LPRNET_INLINE { sums[v].store_unaligned(out + v * lanes); });
    }
    static float finish_one(const Call& a, int slot, Sum sums) noexcept {
        alignas(64) float lane[lanes];
        sums.store_aligned(lane);
        float sum = a.bias[slot];
        for (int i = 0; i < lanes; ++i) sum += lane[i];
        return a.relu && sum < 0.0f ? 0.0f : sum;
    }
};

// Every product rounded, then added, input by input: the same bits whatever the instruction set.
template <class Isa>
struct DotF32Exact : DotF32<Isa> {
    using Sum = typename DotF32<Isa>::Sum;
    static constexpr bool sums_rows = false;
    static Sum add(Sum sum, Sum x, Sum w) noexcept { return sum + x * w; }
    template <int S>
    static Sum add_lane(Sum sum, Sum x, Sum w) noexcept {
        return sum + Isa::template mul_lane<S>(x, w);
    }
};

template <class Isa>
void conv2d_f32_exact(const Conv2dF32& a) noexcept {
    conv2d<DotF32Exact<Isa>>(a);
}

template <class Isa>
void conv2d_f32(const Conv2dF32& a) noexcept {
    conv2d<DotF32<Isa>>(a);
}

}  // namespace
}  // namespace lprnet::kernels
