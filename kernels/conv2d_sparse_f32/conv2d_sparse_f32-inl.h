// Direct convolution with many zero weights, bias and ReLU, float32: only the weights that
// are not zero are stored and multiplied. the header tells how they are packed.
//
// Here vectors run along the pixels, so that one weight meets a whole vector. A block of
// pixels is first turned around, from NHWC to a panel: one row of pixels for each input, an
// input being a channel at a tap. A tile of sparse_vectors vectors of the panel then meets
// kSparseGroup output channels, whose sums stay in registers. Which of the four weights of an
// input are there is its pattern; the inputs are sorted by it, and each pattern has a loop of
// its own in which every multiply-add is useful and nothing is decided but the loop's end.
// The sums are turned around on their way out, sparse_stored_channels() at a time.
//
// Inputs are taken in parts of kSparsePart, so that a part's panel stays in the first-level
// cache while all output channels pass over it; between parts the sums are in memory.
//
// Between two such convolutions the pixels may stay in panels, see the header. The tap in the
// middle is read where it lies then; for the others, vectors of pixels are moved from the one or
// two blocks that they lie in to a panel of their own, without anything to turn around.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "kernels/conv2d_sparse_f32/conv2d_sparse_f32.h"
#include "kernels/isa/isa-inl.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

template <class Isa>
struct Sparse {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    static constexpr int lanes = static_cast<int>(Batch::size);
    static constexpr int tile_pixels = Isa::sparse_vectors * lanes;
    static constexpr int pixels = kSparsePixels<Isa>;  // of a block
    static_assert(lanes % kSparseGroup == 0);
    static_assert(kSparsePart * pixels <= 1 << 16);  // lists have 16 bits for a place
};

// The inputs with one pattern: `count` of them, bit o of Pattern standing for channel o.
template <class Isa, int V, int Pattern>
LPRNET_INLINE inline void sparse_inputs(
    const float* panel, int count, const std::uint16_t*& inputs, const float*& weights,
    typename Sparse<Isa>::Batch (&acc)[kSparseGroup][V]) noexcept {
    using Batch = typename Sparse<Isa>::Batch;
    for (; count > 0; --count) {
        const float* row = panel + *inputs++;
        Batch pixels[V];
        unrolled<V>([&](auto v) LPRNET_INLINE {
            pixels[v] = Batch::load_aligned(row + v * Sparse<Isa>::lanes);
        });
        unrolled<kSparseGroup>([&](auto o) LPRNET_INLINE {
            if constexpr (sparse_pattern_has(Pattern, o)) {
                const Batch weight(*weights++);
                unrolled<V>([&](auto v) LPRNET_INLINE {
                    acc[o][v] = Isa::fma(weight, pixels[v], acc[o][v]);
                });
            }
        });
    }
}

// What becomes of the sums: they begin with the bias, or if that is null with what is there.
struct SparseSums {
    const float* bias;
    float* rows;
    bool relu;
};

// V vectors of pixels and the channels of one group, whose lists are `inputs` and `weights`.
// Returns those of the next group; not as a pair, which gcc writes as two words and reads as one
// vector, so that it waits until both are in the cache.
template <class Isa, int V>
const std::uint16_t* sparse_tile(const float* panel, const std::uint16_t* inputs,
                                 const float* weights, const SparseSums& sums,
                                 const float** next_weights) noexcept {
    using Batch = typename Sparse<Isa>::Batch;
    constexpr int kLanes = Sparse<Isa>::lanes;
    constexpr int kPixels = Sparse<Isa>::pixels;
    Batch acc[kSparseGroup][V];
    if (sums.bias != nullptr) {
        unrolled<kSparseGroup>([&](auto o) LPRNET_INLINE {
            const Batch bias(sums.bias[o]);
            unrolled<V>([&](auto v) LPRNET_INLINE { acc[o][v] = bias; });
        });
    } else {
        unrolled<kSparseGroup>([&](auto o) LPRNET_INLINE {
            unrolled<V>([&](auto v) LPRNET_INLINE {
                acc[o][v] = Batch::load_aligned(sums.rows + o * kPixels + v * kLanes);
            });
        });
    }
    const std::uint16_t* counts = inputs;
    inputs += kSparsePatterns;
    unrolled<kSparsePatterns>([&](auto p) LPRNET_INLINE {
        sparse_inputs<Isa, V, p + 1>(panel, counts[p], inputs, weights, acc);
    });
    if (sums.relu) {
        const Batch zero(0.0f);
        unrolled<kSparseGroup>([&](auto o) LPRNET_INLINE {
            unrolled<V>([&](auto v) LPRNET_INLINE { acc[o][v] = xsimd::max(acc[o][v], zero); });
        });
    }
    unrolled<kSparseGroup>([&](auto o) LPRNET_INLINE {
        unrolled<V>([&](auto v) LPRNET_INLINE {
            acc[o][v].store_aligned(sums.rows + o * kPixels + v * kLanes);
        });
    });
    *next_weights = weights;
    return inputs;
}

// The first `vectors` of the block, at least 1. Moves the lists on to those of the next group.
template <class Isa, int... V>
void sparse_tiles(const float* panel, int vectors, const std::uint16_t*& inputs,
                  const float*& weights, SparseSums sums,
                  std::integer_sequence<int, V...>) noexcept {
    using Tile = const std::uint16_t* (*)(const float*, const std::uint16_t*, const float*,
                                          const SparseSums&, const float**) noexcept;
    static constexpr Tile kTiles[] = {sparse_tile<Isa, V + 1>...};
    const std::uint16_t* next_inputs = inputs;
    const float* next_weights = weights;
    for (; vectors > 0; vectors -= Isa::sparse_vectors) {
        const Tile tile = kTiles[std::min(vectors, Isa::sparse_vectors) - 1];
        next_inputs = tile(panel, inputs, weights, sums, &next_weights);
        panel += Sparse<Isa>::tile_pixels;
        sums.rows += Sparse<Isa>::tile_pixels;
    }
    inputs = next_inputs;
    weights = next_weights;
}

// A block of pixels and where they lie in input and output. Those that fill up the last
// vector repeat the last pixel's input and have no output.
template <class Isa>
struct SparseBlock {
    SparseBlock(const Conv2dSparseF32& a, int first_pixel, int pixel_count) noexcept
        : first(first_pixel),
          count(pixel_count),
          vectors((pixel_count + Sparse<Isa>::lanes - 1) / Sparse<Isa>::lanes) {
        // Row by row, which leaves loops of sums that become vectors.
        for (int done = 0; done < count;) {
            const std::ptrdiff_t y = (first + done) / a.ow, x = (first + done) % a.ow;
            const int run = std::min(count - done, a.ow - static_cast<int>(x));
            const std::ptrdiff_t row_input = y * a.input_row + x * a.ic;
            const std::ptrdiff_t row_output = y * a.output_row + x * a.oc;
            for (int i = 0; i < run; ++i) {
                input[done + i] = row_input + i * a.ic;
                output[done + i] = row_output + i * a.oc;
            }
            done += run;
        }
        const int padded = vectors * Sparse<Isa>::lanes;
        std::fill(input + count, input + padded, input[count - 1]);
        std::fill(output + count, output + padded, output[count - 1]);
    }

    int first, count, vectors;
    std::ptrdiff_t input[Sparse<Isa>::pixels];
    std::ptrdiff_t output[Sparse<Isa>::pixels];
};

// `channels` of one tap, from NHWC to rows of the panel.
template <class Isa>
void sparse_load_channels(const SparseBlock<Isa>& block, const float* input, int channels,
                          float* panel) noexcept {
    using Batch = typename Sparse<Isa>::Batch;
    constexpr int kLanes = Sparse<Isa>::lanes;
    constexpr int kPixels = Sparse<Isa>::pixels;
    for (int v = 0; v < block.vectors; ++v) {
        const std::ptrdiff_t* pixel = block.input + v * kLanes;
        float* rows = panel + v * kLanes;
        int c = 0;
        for (; c + kLanes <= channels; c += kLanes, rows += kLanes * kPixels) {
            Batch m[kLanes];
            unrolled<kLanes>(
                [&](auto i) LPRNET_INLINE { m[i] = Batch::load_unaligned(input + pixel[i] + c); });
            Isa::transpose(m);
            unrolled<kLanes>([&](auto i) LPRNET_INLINE { m[i].store_aligned(rows + i * kPixels); });
        }
        for (; c < channels; ++c, rows += kPixels) {
            for (int i = 0; i < kLanes; ++i) rows[i] = input[pixel[i] + c];
        }
    }
}

// `count` inputs from `first` on: channels of one tap, then those of the next.
template <class Isa>
void sparse_load_panel(const Conv2dSparseF32& a, const SparseBlock<Isa>& block, int first,
                       int count, float* panel) noexcept {
    while (count > 0) {
        const int tap = first / a.ic, c = first % a.ic;
        const int channels = std::min(count, a.ic - c);
        const float* input =
            a.input + tap / a.kw * a.input_row + static_cast<std::ptrdiff_t>(tap % a.kw) * a.ic + c;
        sparse_load_channels<Isa>(block, input, channels, panel);
        panel += channels * Sparse<Isa>::pixels;
        first += channels;
        count -= channels;
    }
}

// What the block's pixels read with one tap, from panels: the pixels some places further on, which
// lie in up to two blocks, and zeros where that is in the border.
template <class Isa>
struct SparseShift {
    static constexpr int kPixels = Sparse<Isa>::pixels;

    SparseShift(const Conv2dSparseF32& a, int first, int tap) noexcept {
        const float kInside = std::bit_cast<float>(~std::uint32_t{0});
        const int dy = tap / a.kw - (a.kh - 1) / 2, dx = tap % a.kw - (a.kw - 1) / 2;
        const int pixels = a.oh * a.ow, begin = first + dy * a.ow + dx;
        std::fill(inside, inside + kPixels, 0.0f);
        const auto lane_of = [begin](int pixel) { return std::clamp(pixel - begin, 0, kPixels); };
        std::fill(inside + lane_of(0), inside + lane_of(pixels), kInside);
        // What lies further on in the next row, or before in the last, is border here.
        const int outside = std::min(std::abs(dx), a.ow);
        for (int row = first - first % a.ow; dx != 0 && row < first + kPixels; row += a.ow) {
            const int from = dx < 0 ? row : row + a.ow - outside;
            std::fill(inside + std::clamp(from - first, 0, kPixels),
                      inside + std::clamp(from - first + outside, 0, kPixels), 0.0f);
        }
        const int last = (pixels - 1) / kPixels;
        const int block = begin >= 0 ? begin / kPixels : -1 - (-1 - begin) / kPixels;
        lane = begin - block * kPixels;
        // A block that is not there has only pixels that are outside.
        const std::ptrdiff_t block_size = std::ptrdiff_t{a.ic} * kPixels;
        here = a.input + std::clamp(block, 0, last) * block_size;
        next = a.input + std::clamp(block + 1, 0, last) * block_size;
    }

    int lane;  // of the first pixel, in block `here`
    const float* here;
    const float* next;
    alignas(64) float inside[kPixels];  // no bit is set outside, all are inside
};

// `channels` from `first` on of what the block's pixels read with one tap, from panels.
template <class Isa>
void sparse_shift_channels(const SparseShift<Isa>& shift, int vectors, int first, int channels,
                           float* panel) noexcept {
    using Batch = typename Sparse<Isa>::Batch;
    constexpr int kLanes = Sparse<Isa>::lanes;
    constexpr std::ptrdiff_t kPixels = Sparse<Isa>::pixels;
    for (int v = 0; v < vectors; ++v) {
        const Batch inside = Batch::load_aligned(shift.inside + v * kLanes);
        const std::ptrdiff_t lane = shift.lane + v * kLanes;
        const float* here = shift.here + first * kPixels + lane;
        const float* next = shift.next + first * kPixels + lane - kPixels;
        float* to = panel + v * kLanes;
        if (lane + kLanes <= kPixels || lane >= kPixels) {
            const float* from = lane >= kPixels ? next : here;
            for (int c = 0; c < channels; ++c) {
                const Batch pixels = Batch::load_unaligned(from + c * kPixels) & inside;
                pixels.store_aligned(to + c * kPixels);
            }
            continue;
        }
        // Of the first and the last channel a vector of either block could lie outside its tensor.
        const int seam = static_cast<int>(kPixels - lane);
        for (const int c : {0, channels - 1}) {
            alignas(64) float pixels[kLanes];
            std::copy_n(here + c * kPixels, seam, pixels);
            std::copy_n(next + c * kPixels + seam, kLanes - seam, pixels + seam);
            (Batch::load_aligned(pixels) & inside).store_aligned(to + c * kPixels);
        }
        alignas(64) float numbers[kLanes];
        std::iota(numbers, numbers + kLanes, 0.0f);
        const auto in_next = Batch::load_aligned(numbers) >= Batch(static_cast<float>(seam));
        for (int c = 1; c + 1 < channels; ++c) {
            const Batch pixels = xsimd::select(in_next, Batch::load_unaligned(next + c * kPixels),
                                               Batch::load_unaligned(here + c * kPixels));
            (pixels & inside).store_aligned(to + c * kPixels);
        }
    }
}

// `count` inputs from `first` on, where they lie in the input's panels if it is one tap's that
// moves nothing, else put together at `loaded`.
template <class Isa>
const float* sparse_panel_inputs(const Conv2dSparseF32& a, const SparseBlock<Isa>& block, int first,
                                 int count, float* loaded) noexcept {
    constexpr int kPixels = Sparse<Isa>::pixels;
    const int center = a.kh * a.kw / 2;
    if (first / a.ic == center && (first + count - 1) / a.ic == center) {
        return a.input + std::ptrdiff_t{block.first} * a.ic +
               std::ptrdiff_t{first % a.ic} * kPixels;
    }
    float* panel = loaded;
    while (count > 0) {
        const int channels = std::min(count, a.ic - first % a.ic);
        const SparseShift<Isa> shift(a, block.first, first / a.ic);
        sparse_shift_channels<Isa>(shift, block.vectors, first % a.ic, channels, panel);
        panel += channels * kPixels;
        first += channels;
        count -= channels;
    }
    return loaded;
}

// Rows of sums to `channels` of the NHWC output.
template <class Isa>
void sparse_store_channels(const SparseBlock<Isa>& block, const float* rows, int channels,
                           float* output) noexcept {
    using Batch = typename Sparse<Isa>::Batch;
    constexpr int kLanes = Sparse<Isa>::lanes;
    constexpr std::ptrdiff_t kPixels = Sparse<Isa>::pixels;
    for (int v = 0; v < block.vectors; ++v, rows += kLanes) {
        const std::ptrdiff_t* pixel = block.output + v * kLanes;
        const int count = std::min(kLanes, block.count - v * kLanes);
        for (int c = 0; c < channels; c += kLanes) {
            Batch m[kLanes];
            unrolled<kLanes>([&](auto i) LPRNET_INLINE {
                m[i] = Batch::load_aligned(rows + (c + i) * kPixels);
            });
            Isa::transpose(m);
            if (count == kLanes && channels - c >= kLanes) {
                unrolled<kLanes>(
                    [&](auto i) LPRNET_INLINE { m[i].store_unaligned(output + pixel[i] + c); });
                continue;
            }
            alignas(64) float lane[kLanes * kLanes];
            unrolled<kLanes>([&](auto i) LPRNET_INLINE { m[i].store_aligned(lane + i * kLanes); });
            for (int i = 0; i < count; ++i) {
                std::copy_n(lane + i * kLanes, std::min(kLanes, channels - c),
                            output + pixel[i] + c);
            }
        }
    }
}

template <class Isa>
void conv2d_sparse_f32_block(const Conv2dSparseF32& a, const SparseBlock<Isa>& block) noexcept {
    constexpr std::ptrdiff_t kPixels = Sparse<Isa>::pixels;
    const int inputs = a.kh * a.kw * a.ic;
    const int stored = sparse_stored_channels(Sparse<Isa>::lanes, a.oc);
    float* const loaded = a.scratch;
    float* const turned = loaded + std::min(inputs, kSparsePart) * kPixels;
    const std::uint16_t* lists = a.lists;
    const float* weights = a.weights;
    for (int first = 0; first < inputs; first += kSparsePart) {
        const int count = std::min(kSparsePart, inputs - first);
        const bool last = first + count == inputs;
        const float* panel = loaded;
        if (a.input_panels) {
            panel = sparse_panel_inputs<Isa>(a, block, first, count, loaded);
        } else {
            sparse_load_panel<Isa>(a, block, first, count, loaded);
        }
        for (int o = 0; o < a.oc; o += kSparseGroup) {
            // The rows of a group: in the output, in a row of their own for each channel of it,
            // or, if nothing has to be kept for the next part, in those of channels stored
            // together.
            float* rows = a.output_panels
                              ? a.output + std::ptrdiff_t{block.first} * a.oc + o * kPixels
                              : turned + (inputs > kSparsePart ? o : o % stored) * kPixels;
            sparse_tiles<Isa>(panel, block.vectors, lists, weights,
                              {first == 0 ? a.bias + o : nullptr, rows, last && a.relu},
                              std::make_integer_sequence<int, Isa::sparse_vectors>{});
            if (!last || a.output_panels) continue;
            const int unstored = o % stored;
            if (unstored + kSparseGroup == stored || o + kSparseGroup >= a.oc) {
                const int channel = o - unstored;
                sparse_store_channels<Isa>(block, rows - unstored * kPixels,
                                           std::min(stored, a.oc - channel), a.output + channel);
            }
        }
    }
}

template <class Isa>
void conv2d_sparse_f32(const Conv2dSparseF32& a) noexcept {
    const int end = a.first_pixel + a.pixels;
    for (int first = a.first_pixel; first < end; first += Sparse<Isa>::pixels) {
        const SparseBlock<Isa> block(a, first, std::min(Sparse<Isa>::pixels, end - first));
        conv2d_sparse_f32_block<Isa>(a, block);
    }
}

}  // namespace
}  // namespace lprnet::kernels
