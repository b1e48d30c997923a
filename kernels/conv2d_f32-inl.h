// Direct convolution with bias and ReLU, float32, NHWC, output channels in vectors.
//
// A tile is P adjacent output pixels of one row by V vectors of output channels.
// Its P * V accumulators stay in registers while the loop runs over the taps and
// input channels; every step loads V weight vectors, broadcasts P activations
// and issues P * V multiply-adds. Because channels are tight, the kw taps of one
// kernel row are kw * ic consecutive floats and need no loop of their own.
//
// Weights: [block][kh][kw][ic][V * lanes], see pack.h. A block outlives all its
// tiles in the first-level cache; the activations are read once per block.
//
// A few channels beyond the last whole vector would waste most of one. Where
// conv2d_f32_row_channels() says so they are computed the other way round: vectors
// run along the taps and input channels, and each sum is added up at the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "kernels/shapes.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

template <class Isa, int V, int P>
void conv2d_f32_tile(const Conv2dF32& a, const float* input, const float* weights,
                     const float* bias, float* output, int channels) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);

    Batch acc[P][V];
    unrolled<V>([&](auto v) LPRNET_INLINE {
        const Batch b = Batch::load_unaligned(bias + v * kLanes);
        unrolled<P>([&](auto p) LPRNET_INLINE { acc[p][v] = b; });
    });

    // One loop over all kernel rows: around an inner loop GCC 12 would keep the
    // accumulators in memory.
    const std::ptrdiff_t ic = a.ic;
    const std::ptrdiff_t row_steps = ic * a.kw;
    const std::ptrdiff_t to_next_row = a.input_row - row_steps;
    const float* x = input;
    std::ptrdiff_t left_in_row = row_steps;
    for (std::ptrdiff_t left = row_steps * a.kh; left > 0; --left, weights += V * kLanes) {
        Batch w[V];
        unrolled<V>([&](auto v)
                        LPRNET_INLINE { w[v] = Batch::load_aligned(weights + v * kLanes); });
        unrolled<P>([&](auto p) LPRNET_INLINE {
            // Every third pixel gets a base pointer of its own: base + {0, 1, 2} * ic are
            // addressing modes, so P pixels cost P / 3 registers instead of P.
            const float* base = x + (p / 3) * 3 * ic;
            const Batch activation(base[(p % 3) * ic]);
            unrolled<V>([&](auto v)
                            LPRNET_INLINE { acc[p][v] = Isa::fma(activation, w[v], acc[p][v]); });
        });
        ++x;
        if (--left_in_row == 0) {
            left_in_row = row_steps;
            x += to_next_row;
        }
    }

    if (a.relu) {
        const Batch zero(0.0f);
        unrolled<P>([&](auto p) LPRNET_INLINE {
            unrolled<V>([&](auto v) LPRNET_INLINE { acc[p][v] = xsimd::max(acc[p][v], zero); });
        });
    }
    if (channels == V * kLanes) {
        unrolled<P>([&](auto p) LPRNET_INLINE {
            unrolled<V>([&](auto v) LPRNET_INLINE {
                acc[p][v].store_unaligned(output + static_cast<std::ptrdiff_t>(p) * a.oc +
                                          v * kLanes);
            });
        });
        return;
    }
    alignas(64) float lane[P * V * kLanes];
    unrolled<P>([&](auto p) LPRNET_INLINE {
        unrolled<V>([&](auto v)
                        LPRNET_INLINE { acc[p][v].store_aligned(lane + (p * V + v) * kLanes); });
    });
    for (int p = 0; p < P; ++p) {
        for (int c = 0; c < channels; ++c) {
            output[static_cast<std::ptrdiff_t>(p) * a.oc + c] = lane[p * V * kLanes + c];
        }
    }
}

// All pixels of one block of V vectors of output channels. The row is cut into
// the fewest tiles that fit the register file, of two adjacent sizes, so that no
// short remainder runs at the latency of a few accumulators.
template <class Isa, int V, int... P>
void conv2d_f32_block(const Conv2dF32& a, const float* weights, const float* bias, float* output,
                      int channels, std::integer_sequence<int, P...>) noexcept {
    using Tile =
        void (*)(const Conv2dF32&, const float*, const float*, const float*, float*, int) noexcept;
    static constexpr Tile kTiles[] = {conv2d_f32_tile<Isa, V, P + 1>...};

    const int tiles = (a.ow + Isa::tile_pixels - 1) / Isa::tile_pixels;
    const int pixels = a.ow / tiles;
    const int larger = a.ow % tiles;
    for (int y = 0; y < a.oh; ++y) {
        const float* in = a.input + y * a.input_row;
        float* out = output + y * a.output_row;
        for (int t = 0; t < tiles; ++t) {
            const int p = pixels + (t < larger ? 1 : 0);
            kTiles[p - 1](a, in, weights, bias, out, channels);
            in += static_cast<std::ptrdiff_t>(p) * a.ic;
            out += static_cast<std::ptrdiff_t>(p) * a.oc;
        }
    }
}

// P adjacent pixels of R channels whose weights are rows, [channel][kh][kw][ic].
template <class Isa, int R, int P>
void conv2d_f32_row_tile(const Conv2dF32& a, const float* input, const float* weights,
                         const float* bias, float* output) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);

    Batch acc[P][R];
    unrolled<P>([&](auto p) LPRNET_INLINE {
        unrolled<R>([&](auto c) LPRNET_INLINE { acc[p][c] = Batch(0.0f); });
    });
    const std::ptrdiff_t ic = a.ic;
    const std::ptrdiff_t steps = ic * a.kw;
    const std::ptrdiff_t row_size = steps * a.kh;
    for (int r = 0; r < a.kh; ++r) {
        const float* x = input + r * a.input_row;
        for (std::ptrdiff_t k = 0; k < steps; k += kLanes, x += kLanes, weights += kLanes) {
            Batch w[R];
            unrolled<R>([&](auto c) LPRNET_INLINE {
                w[c] = Batch::load_unaligned(weights + c * row_size);
            });
            unrolled<P>([&](auto p) LPRNET_INLINE {
                const Batch activation = Batch::load_unaligned(x + p * ic);
                unrolled<R>([&](auto c) LPRNET_INLINE {
                    acc[p][c] = Isa::fma(activation, w[c], acc[p][c]);
                });
            });
        }
    }
    for (int p = 0; p < P; ++p) {
        for (int c = 0; c < R; ++c) {
            alignas(64) float lane[kLanes];
            acc[p][c].store_aligned(lane);
            float sum = bias[c];
            for (int i = 0; i < kLanes; ++i) sum += lane[i];
            output[static_cast<std::ptrdiff_t>(p) * a.oc + c] = a.relu && sum < 0.0f ? 0.0f : sum;
        }
    }
}

template <class Isa, int R>
void conv2d_f32_rows(const Conv2dF32& a, const float* weights, const float* bias,
                     float* output) noexcept {
    constexpr int kPixels = Isa::tile_pixels / 2;  // 24 accumulators for 4 channels on AVX-512
    for (int y = 0; y < a.oh; ++y) {
        const float* in = a.input + y * a.input_row;
        float* out = output + y * a.output_row;
        int x = 0;
        for (; x + kPixels <= a.ow; x += kPixels, in += kPixels * std::ptrdiff_t{a.ic},
                                    out += kPixels * std::ptrdiff_t{a.oc}) {
            conv2d_f32_row_tile<Isa, R, kPixels>(a, in, weights, bias, out);
        }
        for (; x < a.ow; ++x, in += a.ic, out += a.oc) {
            conv2d_f32_row_tile<Isa, R, 1>(a, in, weights, bias, out);
        }
    }
}

template <class Isa, int... R>
void conv2d_f32_last_channels(const Conv2dF32& a, int count, const float* weights,
                              std::integer_sequence<int, R...>) noexcept {
    using Rows = void (*)(const Conv2dF32&, const float*, const float*, float*) noexcept;
    static constexpr Rows kRows[] = {conv2d_f32_rows<Isa, R + 1>...};
    const int first = a.oc - count;
    kRows[count - 1](a, weights, a.bias + first, a.output + first);
}

template <class Isa, int... V>
void conv2d_f32_blocks(const Conv2dF32& a, std::integer_sequence<int, V...>) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    using Block = void (*)(const Conv2dF32&, const float*, const float*, float*, int,
                           std::make_integer_sequence<int, Isa::tile_pixels>) noexcept;
    static constexpr Block kBlocks[] = {conv2d_f32_block<Isa, V + 1>...};
    constexpr int kLanes = static_cast<int>(Batch::size);
    constexpr int kBlockChannels = Isa::block_vectors * kLanes;

    const int row_channels = conv2d_f32_row_channels(kLanes, a.oc, a.ic, a.kw);
    const int block_channels = a.oc - row_channels;
    const float* weights = a.weights;
    for (int o = 0; o < block_channels; o += kBlockChannels) {
        const int channels = std::min(kBlockChannels, block_channels - o);
        const int vectors = (channels + kLanes - 1) / kLanes;
        kBlocks[vectors - 1](a, weights, a.bias + o, a.output + o, channels, {});
        weights += static_cast<std::ptrdiff_t>(a.kh) * a.kw * a.ic * vectors * kLanes;
    }
    if constexpr (kLanes >= kRowChannelsShare) {
        if (row_channels > 0) {
            conv2d_f32_last_channels<Isa>(
                a, row_channels, weights,
                std::make_integer_sequence<int, kLanes / kRowChannelsShare>{});
        }
    }
}

template <class Isa>
void conv2d_f32(const Conv2dF32& a) noexcept {
    conv2d_f32_blocks<Isa>(a, std::make_integer_sequence<int, Isa::block_vectors>{});
}

}  // namespace
}  // namespace lprnet::kernels
