// Direct convolution, NHWC, output channels in vectors: the loops that all precisions share.
//
// A tile is P adjacent output pixels of one row by V vectors of output channels.
// Its P * V sums stay in registers while the loop runs over the taps and input channels;
// every turn loads V weight vectors, broadcasts one group of adjacent activations for each
// pixel and issues P * V multiply-adds. Because channels are tight, the kw taps of one
// kernel row are kw * ic consecutive activations and need no loop of their own.
//
// Weights: [block][kh][group][V * lanes] words, see DenseLayout in weight_layout.h. A block
// outlives all its tiles in the first-level cache; the activations are read once per block.
//
// A few channels beyond the last whole vector would waste most of one. Where
// conv2d_row_channels() says so they are computed the other way round: vectors
// run along the taps and input channels, and each sum is added up at the end.
//
// What differs between precisions is a Dot:
//   Call               the arguments, a struct such as Conv2dF32
//   Element            of the activations
//   Word               of the packed weights: as many weights as a lane multiplies at a time
//   group              how many those are; a kernel row is filled up to whole groups
//   block_vectors, tile_pixels(V)  the most vectors, and pixels with V of them, in a tile
//   Sum                a vector of sums, one lane for each output channel
//   input(a), output(a), weights(a)  typed pointers
//   start(a, slot)     the sums' first value for the channels packed at `slot`
//   broadcast(x)       a group of activations in each lane
//   add(sum, x, w)     sum + x * w, summed over each lane's group
//   lane_groups        the groups in a vector of activations, if one instruction multiplies by a
//                      group of it; else 1, and the next two are not needed
//   load_lanes<S>(x)   the first S groups of a vector of activations
//   add_lane<S>(sum, x, w)  sum + group S of x * w
//   finish(a, slot, sums)  from sums to results, in place, for a tile
//   store(sums, out)   V vectors of results in the order of their channels
//   finish_one(a, slot, sums)  the result of the sum of all lanes
//   sums_rows          whether the last channels may be computed along the inputs; else
//                      finish_one is not needed
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "kernels/conv2d/conv2d.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

template <class Dot>
constexpr int kLanesOf = static_cast<int>(Dot::Sum::size);

template <class Dot, int V, int P>
LPRNET_INLINE inline void conv2d_start(const typename Dot::Call& a, int slot,
                                       typename Dot::Sum (&acc)[P][V]) noexcept {
    unrolled<V>([&](auto v) LPRNET_INLINE {
        const typename Dot::Sum start = Dot::start(a, slot + v * kLanesOf<Dot>);
        unrolled<P>([&](auto p) LPRNET_INLINE { acc[p][v] = start; });
    });
}

template <class Dot, int V, int P>
LPRNET_INLINE inline void conv2d_finish(const typename Dot::Call& a, int slot,
                                        typename Dot::Sum (&acc)[P][V],
                                        typename Dot::Element* output, int channels) noexcept {
    constexpr int kLanes = kLanesOf<Dot>;
    Dot::template finish<V, P>(a, slot, acc);
    if (channels == V * kLanes) {
        unrolled<P>([&](auto p) LPRNET_INLINE {
            Dot::template store<V>(acc[p], output + static_cast<std::ptrdiff_t>(p) * a.oc);
        });
        return;
    }
    alignas(64) typename Dot::Element lane[P * V * kLanes];
    unrolled<P>([&](auto p)
                    LPRNET_INLINE { Dot::template store<V>(acc[p], lane + p * V * kLanes); });
    for (int p = 0; p < P; ++p) {
        for (int c = 0; c < channels; ++c) {
            output[static_cast<std::ptrdiff_t>(p) * a.oc + c] = lane[p * V * kLanes + c];
        }
    }
}

template <class Dot, int V, int P>
void conv2d_tile(const typename Dot::Call& a, const typename Dot::Element* input,
                 const typename Dot::Word* weights, int slot, typename Dot::Element* output,
                 int channels) noexcept {
    using Sum = typename Dot::Sum;
    constexpr int kLanes = kLanesOf<Dot>;

    Sum acc[P][V];
    conv2d_start<Dot, V, P>(a, slot, acc);

    // One loop over all kernel rows: around an inner loop GCC 12 would keep the
    // accumulators in memory.
    const std::ptrdiff_t ic = a.ic;
    const std::ptrdiff_t row_groups = conv2d_row_groups(a.ic, a.kw, Dot::group);
    const std::ptrdiff_t to_next_row = a.input_row - row_groups * Dot::group;
    const typename Dot::Element* x = input;
    std::ptrdiff_t left_in_row = row_groups;
    for (std::ptrdiff_t left = row_groups * a.kh; left > 0; --left, weights += V * kLanes) {
        Sum w[V];
        unrolled<V>([&](auto v) LPRNET_INLINE { w[v] = Dot::load(weights + v * kLanes); });
        unrolled<P>([&](auto p) LPRNET_INLINE {
            // Every third pixel gets a base pointer of its own: base + {0, 1, 2} * ic are
            // addressing modes, so P pixels cost P / 3 registers instead of P.
            const typename Dot::Element* base = x + (p / 3) * 3 * ic;
            const Sum activation = Dot::broadcast(base + (p % 3) * ic);
            unrolled<V>([&](auto v)
                            LPRNET_INLINE { acc[p][v] = Dot::add(acc[p][v], activation, w[v]); });
        });
        x += Dot::group;
        if (--left_in_row == 0) {
            left_in_row = row_groups;
            x += to_next_row;
        }
    }
    conv2d_finish<Dot, V, P>(a, slot, acc, output, channels);
}

// `count` adjacent tiles where a kernel row is a multiple of kGroups groups: one load brings
// lane_groups groups of a pixel, which conv2d_tile loads and broadcasts one by one.
template <class Dot, int V, int P, int kGroups>
void conv2d_lane_tiles(const typename Dot::Call& a, const typename Dot::Element* input,
                       const typename Dot::Word* weights, int slot, typename Dot::Element* output,
                       int channels, int count) noexcept {
    using Sum = typename Dot::Sum;
    constexpr int kLanes = kLanesOf<Dot>;

    const std::ptrdiff_t ic = a.ic;
    const std::ptrdiff_t row_loads = conv2d_row_groups(a.ic, a.kw, Dot::group) / kGroups;
    const std::ptrdiff_t loads = row_loads * a.kh;
    const std::ptrdiff_t to_next_row = a.input_row - row_loads * kGroups * Dot::group;
    for (; count > 0; --count, input += P * ic, output += P * std::ptrdiff_t{a.oc}) {
        Sum acc[P][V];
        conv2d_start<Dot, V, P>(a, slot, acc);
        const typename Dot::Element* x = input;
        const typename Dot::Word* w = weights;
        std::ptrdiff_t left_in_row = row_loads;
        for (std::ptrdiff_t left = loads; left > 0; --left, w += kGroups * V * kLanes) {
            unrolled<(kGroups + Dot::lane_groups - 1) / Dot::lane_groups>(
                [&](auto load) LPRNET_INLINE {
                    constexpr int kFirst = load * Dot::lane_groups;
                    constexpr int kLoaded = std::min(kGroups - kFirst, Dot::lane_groups);
                    Sum activations[P];
                    unrolled<P>([&](auto p) LPRNET_INLINE {
                        const typename Dot::Element* base =
                            x + (p / 3) * 3 * ic + kFirst * Dot::group;
                        activations[p] = Dot::template load_lanes<kLoaded>(base + (p % 3) * ic);
                    });
                    unrolled<kLoaded>([&](auto s) LPRNET_INLINE {
                        Sum word[V];
                        unrolled<V>([&](auto v) LPRNET_INLINE {
                            word[v] = Dot::load(w + ((kFirst + s) * V + v) * kLanes);
                        });
                        unrolled<P>([&](auto p) LPRNET_INLINE {
                            unrolled<V>([&](auto v) LPRNET_INLINE {
                                acc[p][v] =
                                    Dot::template add_lane<s>(acc[p][v], activations[p], word[v]);
                            });
                        });
                    });
                });
            x += kGroups * Dot::group;
            if (--left_in_row == 0) {
                left_in_row = row_loads;
                x += to_next_row;
            }
        }
        conv2d_finish<Dot, V, P>(a, slot, acc, output, channels);
    }
}

// Of 32 registers two are left for constants.
constexpr int conv2d_lane_pixels([[maybe_unused]] int vectors) {
    return LPRNET_TILE_PIXELS((30 - vectors) / (vectors + 1));
}

template <class Dot, int V, int kGroups>
void conv2d_lane_block(const typename Dot::Call& a, const typename Dot::Word* weights, int slot,
                       typename Dot::Element* output, int channels) noexcept {
    constexpr int kPixels = conv2d_lane_pixels(V);
    using Tiles =
        void (*)(const typename Dot::Call&, const typename Dot::Element*, const typename Dot::Word*,
                 int, typename Dot::Element*, int, int) noexcept;
    static constexpr auto kTiles = []<int... P>(std::integer_sequence<int, P...>) {
        return std::array<Tiles, kPixels>{conv2d_lane_tiles<Dot, V, P + 1, kGroups>...};
    }
    (std::make_integer_sequence<int, kPixels>{});

    const int tiles = (a.ow + kPixels - 1) / kPixels;
    const int pixels = a.ow / tiles;
    const int larger = a.ow % tiles;
    for (int y = 0; y < a.oh; ++y) {
        const typename Dot::Element* in = Dot::input(a) + y * a.input_row;
        typename Dot::Element* out = output + y * a.output_row;
        if (larger > 0) {
            kTiles[static_cast<std::size_t>(pixels)](a, in, weights, slot, out, channels, larger);
            const std::ptrdiff_t done = std::ptrdiff_t{larger} * (pixels + 1);
            in += done * a.ic;
            out += done * a.oc;
        }
        kTiles[static_cast<std::size_t>(pixels - 1)](a, in, weights, slot, out, channels,
                                                     tiles - larger);
    }
}

// All pixels of one block of V vectors of output channels. The row is cut into
// the fewest tiles that fit the register file, of two adjacent sizes, so that no
// short remainder runs at the latency of a few accumulators.
template <class Dot, int V>
void conv2d_block(const typename Dot::Call& a, const typename Dot::Word* weights, int slot,
                  typename Dot::Element* output, int channels) noexcept {
    if constexpr (Dot::lane_groups > 1) {
        // Two loads a pixel: the work of the loop itself is spread over more multiply-adds.
        constexpr int kGroups = 2 * Dot::lane_groups;
        if (a.ic * a.kw % (kGroups * Dot::group) == 0) {
            return conv2d_lane_block<Dot, V, kGroups>(a, weights, slot, output, channels);
        }
        if constexpr (Dot::group > 1) {
            // Three pixels of three channels, filled up to three groups of four.
            constexpr int kFew = Dot::lane_groups - 1;
            if (conv2d_row_groups(a.ic, a.kw, Dot::group) == kFew) {
                return conv2d_lane_block<Dot, V, kFew>(a, weights, slot, output, channels);
            }
        }
    }
    constexpr int kPixels = Dot::tile_pixels(V);
    using Tile = void (*)(const typename Dot::Call&, const typename Dot::Element*,
                          const typename Dot::Word*, int, typename Dot::Element*, int) noexcept;
    static constexpr auto kTiles = []<int... P>(std::integer_sequence<int, P...>) {
        return std::array<Tile, kPixels>{conv2d_tile<Dot, V, P + 1>...};
    }
    (std::make_integer_sequence<int, kPixels>{});

    const int tiles = (a.ow + kPixels - 1) / kPixels;
    const int pixels = a.ow / tiles;
    const int larger = a.ow % tiles;
    for (int y = 0; y < a.oh; ++y) {
        const typename Dot::Element* in = Dot::input(a) + y * a.input_row;
        typename Dot::Element* out = output + y * a.output_row;
        for (int t = 0; t < tiles; ++t) {
            const int p = pixels + (t < larger ? 1 : 0);
            kTiles[static_cast<std::size_t>(p - 1)](a, in, weights, slot, out, channels);
            in += static_cast<std::ptrdiff_t>(p) * a.ic;
            out += static_cast<std::ptrdiff_t>(p) * a.oc;
        }
    }
}

// P adjacent pixels of R channels whose weights are rows, [channel][kh][kw][ic].
template <class Dot, int R, int P>
void conv2d_row_tile(const typename Dot::Call& a, const typename Dot::Element* input,
                     const typename Dot::Word* weights, int slot,
                     typename Dot::Element* output) noexcept {
    using Sum = typename Dot::Sum;
    constexpr int kLanes = kLanesOf<Dot>;

    Sum acc[P][R];
    unrolled<P>([&](auto p) LPRNET_INLINE {
        unrolled<R>([&](auto c) LPRNET_INLINE { acc[p][c] = Sum(0); });
    });
    const std::ptrdiff_t ic = a.ic;
    const std::ptrdiff_t words = ic * a.kw / Dot::group;
    const std::ptrdiff_t row_size = words * a.kh;
    for (int r = 0; r < a.kh; ++r) {
        const typename Dot::Element* x = input + r * a.input_row;
        for (std::ptrdiff_t k = 0; k < words; k += kLanes, weights += kLanes) {
            Sum w[R];
            unrolled<R>([&](auto c) LPRNET_INLINE { w[c] = Dot::load(weights + c * row_size); });
            unrolled<P>([&](auto p) LPRNET_INLINE {
                const Sum activation = Dot::load_activations(x + p * ic);
                unrolled<R>([&](auto c) LPRNET_INLINE {
                    acc[p][c] = Dot::add(acc[p][c], activation, w[c]);
                });
            });
            x += kLanes * Dot::group;
        }
    }
    for (int p = 0; p < P; ++p) {
        for (int c = 0; c < R; ++c) {
            output[static_cast<std::ptrdiff_t>(p) * a.oc + c] =
                Dot::finish_one(a, slot + c, acc[p][c]);
        }
    }
}

template <class Dot, int R>
void conv2d_rows(const typename Dot::Call& a, const typename Dot::Word* weights, int slot,
                 typename Dot::Element* output) noexcept {
    constexpr int kPixels = Dot::tile_pixels(2) / 2;  // 24 accumulators for 4 channels on AVX-512
    for (int y = 0; y < a.oh; ++y) {
        const typename Dot::Element* in = Dot::input(a) + y * a.input_row;
        typename Dot::Element* out = output + y * a.output_row;
        int x = 0;
        for (; x + kPixels <= a.ow; x += kPixels, in += kPixels * std::ptrdiff_t{a.ic},
                                    out += kPixels * std::ptrdiff_t{a.oc}) {
            conv2d_row_tile<Dot, R, kPixels>(a, in, weights, slot, out);
        }
        for (; x < a.ow; ++x, in += a.ic, out += a.oc) {
            conv2d_row_tile<Dot, R, 1>(a, in, weights, slot, out);
        }
    }
}

template <class Dot, int... R>
void conv2d_last_channels(const typename Dot::Call& a, int count, const typename Dot::Word* weights,
                          std::integer_sequence<int, R...>) noexcept {
    using Rows = void (*)(const typename Dot::Call&, const typename Dot::Word*, int,
                          typename Dot::Element*) noexcept;
    static constexpr Rows kRows[] = {conv2d_rows<Dot, R + 1>...};
    const int first = a.oc - count;
    kRows[count - 1](a, weights, first, Dot::output(a) + first);
}

template <class Dot, int... V>
void conv2d_blocks(const typename Dot::Call& a, std::integer_sequence<int, V...>) noexcept {
    using Block = void (*)(const typename Dot::Call&, const typename Dot::Word*, int,
                           typename Dot::Element*, int) noexcept;
    static constexpr Block kBlocks[] = {conv2d_block<Dot, V + 1>...};
    constexpr int kLanes = kLanesOf<Dot>;
    constexpr int kBlockChannels = Dot::block_vectors * kLanes;

    const int row_channels =
        Dot::sums_rows ? conv2d_row_channels(kLanes, Dot::group, a.oc, a.ic, a.kw) : 0;
    const int block_channels = a.oc - row_channels;
    const typename Dot::Word* weights = Dot::weights(a);
    for (int o = 0; o < block_channels; o += kBlockChannels) {
        const int channels = std::min(kBlockChannels, block_channels - o);
        const int vectors = (channels + kLanes - 1) / kLanes;
        kBlocks[vectors - 1](a, weights, o, Dot::output(a) + o, channels);
        weights +=
            std::ptrdiff_t{conv2d_row_groups(a.ic, a.kw, Dot::group)} * a.kh * vectors * kLanes;
    }
    if constexpr (Dot::sums_rows && kLanes >= kRowChannelsShare) {
        if (row_channels > 0) {
            conv2d_last_channels<Dot>(
                a, row_channels, weights,
                std::make_integer_sequence<int, kLanes / kRowChannelsShare>{});
        }
    }
}

template <class Dot>
void conv2d(const typename Dot::Call& a) noexcept {
    conv2d_blocks<Dot>(a, std::make_integer_sequence<int, Dot::block_vectors>{});
}

}  // namespace
}  // namespace lprnet::kernels
