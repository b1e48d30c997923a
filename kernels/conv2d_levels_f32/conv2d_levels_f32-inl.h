// Direct convolution of quantized tensors with float32 weights, to levels; conv2d-inl.h has the
// loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "kernels/conv2d/conv2d-inl.h"
#include "kernels/conv2d_levels_f32/conv2d_levels_f32.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// As DotF32Exact, every product rounded, then added: the same bits whatever the instruction set.
template <class Isa>
struct DotLevelsF32 {
    using Call = Conv2dLevelsF32;
    using Element = typename Isa::Level;
    using Word = float;
    using Sum = xsimd::batch<float, typename Isa::arch>;
    using Levels = xsimd::batch<std::int32_t, typename Isa::arch>;
    static constexpr int group = 1;
    static constexpr int block_vectors = Isa::block_vectors;
    static constexpr int tile_pixels(int) { return LPRNET_TILE_PIXELS(Isa::tile_pixels); }
    static constexpr int lanes = static_cast<int>(Sum::size);
    static constexpr bool sums_rows = false;
    static constexpr int lane_groups = 1;

    static const Element* input(const Call& a) noexcept {
        return static_cast<const Element*>(a.input);
    }
    static Element* output(const Call& a) noexcept { return static_cast<Element*>(a.output); }
    static const Word* weights(const Call& a) noexcept { return a.weights; }

    static Sum start(const Call& a, int slot) noexcept {
        return Sum::load_unaligned(a.bias + slot);
    }
    static Sum load(const Word* w) noexcept { return Sum::load_aligned(w); }
    // Converted as a vector: a scalar would take a register of zeros, one more than there are.
    static Sum broadcast(const Element* x) noexcept { return xsimd::to_float(Levels(*x)); }
    static Sum add(Sum sum, Sum x, Sum w) noexcept { return sum + x * w; }

    // Limited before they are rounded: integers could not hold every sum, and 0 and 255 are
    // whole, so that the order makes no difference.
    template <int V, int P>
    LPRNET_INLINE static void finish(const Call&, int, Sum (&sums)[P][V]) noexcept {
        const Sum least(0.0f), most(255.0f);
        unrolled<P>([&](auto p) LPRNET_INLINE {
            unrolled<V>([&](auto v) LPRNET_INLINE {
                sums[p][v] = xsimd::min(xsimd::max(sums[p][v], least), most);
            });
        });
    }
    // One vector at a time, which keeps the channels in their order.
    template <int V>
    LPRNET_INLINE static void store(const Sum (&sums)[V], Element* out) noexcept {
        unrolled<V>([&](auto v) LPRNET_INLINE {
            Isa::narrow(xsimd::nearbyint_as_int(sums[v]), out + v * lanes);
        });
    }
};

template <class Isa>
void conv2d_levels_f32(const Conv2dLevelsF32& a) noexcept {
    conv2d<DotLevelsF32<Isa>>(a);
}

}  // namespace
}  // namespace lprnet::kernels
