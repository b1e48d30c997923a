// Direct convolution of quantized tensors, with int8 weights, int32 sums and requantization;
// conv2d-inl.h has the loops.
//
// A lane multiplies four activations of a byte by four weights of a byte, or, where the
// instruction set cannot do that without saturating, two of two bytes each.
//
// Narrowing two or four vectors of int32 on x86 interleaves them by 4 lanes within every 128 bits.
// pack_conv2d_s8 puts the channels into that order, so that none has to be moved here.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "kernels/conv2d/conv2d-inl.h"
#include "kernels/conv2d_s8/conv2d_s8.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
concept DotsByLane = requires(xsimd::batch<std::int32_t, typename Isa::arch> x) {
    Isa::template dot_lane<0>(x, x, x);
};

template <class Isa>
struct DotS8 {
    using Call = Conv2dS8;
    using Element = typename Isa::Level;
    using Word = std::int32_t;
    using Sum = xsimd::batch<std::int32_t, typename Isa::arch>;
    using Real = xsimd::batch<float, typename Isa::arch>;
    static constexpr int group = static_cast<int>(sizeof(Word) / sizeof(Element));
    static constexpr int block_vectors = Isa::level_vectors;
    static constexpr int tile_pixels([[maybe_unused]] int vectors) {
        return LPRNET_TILE_PIXELS(vectors <= 2 ? Isa::tile_pixels : 2 * Isa::tile_pixels / vectors);
    }
    static constexpr int lanes = static_cast<int>(Sum::size);
    static constexpr bool sums_rows = true;
    static constexpr int lane_groups = DotsByLane<Isa> ? lanes : 1;

    static const Element* input(const Call& a) noexcept {
        return static_cast<const Element*>(a.input);
    }
    static Element* output(const Call& a) noexcept { return static_cast<Element*>(a.output); }
    static const Word* weights(const Call& a) noexcept { return a.weights; }

    static Sum start(const Call& a, int slot) noexcept {
        return Sum::load_unaligned(a.bias + slot);
    }
    static Sum load(const Word* w) noexcept { return Sum::load_aligned(w); }
    static Sum load_activations(const Element* x) noexcept {
        return Sum::load_unaligned(reinterpret_cast<const Word*>(x));
    }
    static Sum broadcast(const Element* x) noexcept {
        Word word;
        std::memcpy(&word, x, sizeof word);
        return Sum(word);
    }
    static Sum add(Sum sum, Sum x, Sum w) noexcept { return Isa::dot(sum, x, w); }
    template <int S>
    static Sum load_lanes(const Element* x) noexcept {
        if constexpr (S == lanes) return Isa::dot_activations(load_activations(x));
        alignas(Sum) Word words[lanes] = {};
        std::memcpy(words, x, S * sizeof(Word));
        return Isa::dot_activations(Sum::load_aligned(words));
    }
    template <int S>
    static Sum add_lane(Sum sum, Sum x, Sum w) noexcept {
        return Isa::template dot_lane<S>(sum, x, w);
    }

    template <int V, int P>
    LPRNET_INLINE static void finish(const Call& a, int slot, Sum (&sums)[P][V]) noexcept {
        unrolled<V>([&](auto v) LPRNET_INLINE {
            const Real scale = Real::load_unaligned(a.scale + slot + v * lanes);
            unrolled<P>([&](auto p) LPRNET_INLINE {
                sums[p][v] = xsimd::nearbyint_as_int(xsimd::to_float(sums[p][v]) * scale);
            });
        });
    }
    template <int V>
    LPRNET_INLINE static void store(const Sum (&sums)[V], Element* out) noexcept {
        static_assert(V <= 4);
        if constexpr (V == 4) {
            Isa::narrow(sums[0], sums[1], sums[2], sums[3], out);
        } else {
            if constexpr (V >= 2) Isa::narrow(sums[0], sums[1], out);
            if constexpr (V != 2) Isa::narrow(sums[V - 1], out + (V - 1) * lanes);
        }
    }
    static Element finish_one(const Call& a, int slot, Sum sums) noexcept {
        alignas(64) std::int32_t lane[lanes];
        sums.store_aligned(lane);
        std::int32_t sum = a.bias[slot];
        for (int i = 0; i < lanes; ++i) sum += lane[i];
        const float q = std::nearbyint(static_cast<float>(sum) * a.scale[slot]);
        return static_cast<Element>(q < 0.0f ? 0.0f : (q > 255.0f ? 255.0f : q));
    }
};

template <class Isa>
void conv2d_s8(const Conv2dS8& a) noexcept {
    conv2d<DotS8<Isa>>(a);
}

}  // namespace
}  // namespace lprnet::kernels
