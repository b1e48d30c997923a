// One branch of the global context: average pool, sum of squares and mean over the height in
// a single pass over the input; the formulas stand in the header. The pooled map itself never
// exists in memory. And the scaling of all branches, once every square is known.
#pragma once

#include <algorithm>
#include <cstddef>
#include <xsimd/xsimd.hpp>

#include "kernels/context_f32/context_f32.h"
#include "kernels/unroll-inl.h"

namespace lprnet::kernels {
namespace {

// Windows that overlap share strips as wide as their stride. More than this many strips in a
// window are not kept, nor windows that are no whole number of strides.
inline constexpr int kMaxContextStrips = 8;

inline int context_strips(const ContextTapF32& a) noexcept {
    const int strips = a.kw / a.stride_w;
    return strips * a.stride_w == a.kw && strips <= kMaxContextStrips ? strips : 1;
}

// The lanes of a vector from `first` on: those before are another call's.
template <class Batch>
struct LastLanes {
    int first;
    static constexpr int kLanes = static_cast<int>(Batch::size);

    Batch load(const float* from) const noexcept {
        alignas(64) float lane[kLanes] = {};
        std::copy(from + first, from + kLanes, lane + first);
        return Batch::load_aligned(lane);
    }
    void store(const Batch& value, float* to) const noexcept {
        alignas(64) float lane[kLanes];
        value.store_aligned(lane);
        std::copy(lane + first, lane + kLanes, to + first);
    }
};
// The same where this call has computed those before, too: they are stored again as they are.
template <class Batch>
struct MergedLanes {
    int first;
    typename Batch::batch_bool_type taken;

    explicit MergedLanes(int first_lane) noexcept : first(first_lane) {
        alignas(64) float lane[Batch::size];
        for (int i = 0; i < static_cast<int>(Batch::size); ++i) lane[i] = static_cast<float>(i);
        taken = Batch::load_aligned(lane) >= Batch(static_cast<float>(first_lane));
    }
    Batch load(const float* from) const noexcept { return Batch::load_unaligned(from); }
    void store(const Batch& value, float* to) const noexcept {
        xsimd::select(taken, value, load(to)).store_unaligned(to);
    }
};
template <class Batch>
struct AllLanes {
    static constexpr int first = 0;

    Batch load(const float* from) const noexcept { return Batch::load_unaligned(from); }
    void store(const Batch& value, float* to) const noexcept { value.store_unaligned(to); }
};

// V vectors of adjacent channels over the whole image; of their lanes those that `lanes` takes.
template <class Isa, int V, class Lanes>
void context_tap_f32_vectors(const ContextTapF32& a, const float* input, float* output,
                             float* squares, const Lanes& lanes) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);

    const int strips = context_strips(a);
    const int strip_width = a.kw / strips;
    const Batch inverse(1.0f / static_cast<float>(a.kh * a.kw));
    const Batch inverse_height(1.0f / static_cast<float>(a.oh));
    Batch square[V];
    unrolled<V>([&](auto v) LPRNET_INLINE { square[v] = Batch(0.0f); });
    for (int y = 0; y < a.oh; ++y) {
        Batch ring[kMaxContextStrips][V];
        const float* next = input + y * a.stride_h * a.input_row;
        const auto sum_strip = [&](Batch(&strip)[V]) LPRNET_INLINE {
            // Sums of its own: those of the ring would go through memory with every addition.
            Batch sum[V];
            unrolled<V>([&](auto v) LPRNET_INLINE { sum[v] = Batch(0.0f); });
            for (int r = 0; r < a.kh; ++r) {
                const float* pixel = next + r * a.input_row;
                for (int s = 0; s < strip_width; ++s, pixel += a.channels) {
                    unrolled<V>([&](auto v) LPRNET_INLINE {
                        sum[v] += Batch::load_unaligned(pixel + v * kLanes);
                    });
                }
            }
            unrolled<V>([&](auto v) LPRNET_INLINE { strip[v] = sum[v]; });
            next += std::ptrdiff_t{a.stride_w} * a.channels;
        };
        for (int s = 0; s + 1 < strips; ++s) sum_strip(ring[s]);
        int newest = strips - 1;
        for (int x = 0; x < a.ow; ++x) {
            sum_strip(ring[newest]);
            newest = newest + 1 == strips ? 0 : newest + 1;  // the oldest, to be replaced next
            Batch mean[V];
            unrolled<V>([&](auto v) LPRNET_INLINE { mean[v] = ring[newest][v]; });
            for (int s = 1, i = newest; s < strips; ++s) {
                i = i + 1 == strips ? 0 : i + 1;
                unrolled<V>([&](auto v) LPRNET_INLINE { mean[v] += ring[i][v]; });
            }
            float* out = output + x * a.output_column;
            unrolled<V>([&](auto v) LPRNET_INLINE {
                mean[v] *= inverse;
                square[v] = Isa::fma(mean[v], mean[v], square[v]);
                if (y > 0) mean[v] += lanes.load(out + v * kLanes);
                if (y + 1 == a.oh) mean[v] *= inverse_height;
                lanes.store(mean[v], out + v * kLanes);
            });
        }
    }
    unrolled<V>([&](auto v) LPRNET_INLINE {
        alignas(64) float lane[kLanes];
        square[v].store_aligned(lane);
        float sum = 0.0f;
        for (int i = lanes.first; i < kLanes; ++i) sum += lane[i];
        squares[v] = sum;
    });
}

// The channels from `first` on, fewer than a vector has lanes.
inline void context_tap_f32_rest(const ContextTapF32& a, int first, float* square) noexcept {
    *square = 0.0f;
    for (int c = first; c < a.channels_used; ++c) {
        for (int y = 0; y < a.oh; ++y) {
            for (int x = 0; x < a.ow; ++x) {
                const float* window = a.input + y * a.stride_h * a.input_row +
                                      static_cast<std::ptrdiff_t>(x) * a.stride_w * a.channels + c;
                float sum = 0.0f;
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        sum +=
                            window[r * a.input_row + static_cast<std::ptrdiff_t>(s) * a.channels];
                    }
                }
                const float mean = sum / static_cast<float>(a.kh * a.kw);
                *square += mean * mean;
                float* out = a.output + x * a.output_column + c;
                *out = y > 0 ? *out + mean : mean;
                if (y + 1 == a.oh) *out /= static_cast<float>(a.oh);
            }
        }
    }
}

template <class Isa>
void context_tap_f32(const ContextTapF32& a) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);
    constexpr int kVectors = 4;  // independent sums, to hide the latency of the additions

    float* square = a.squares;
    int c = 0;
    for (; c + kVectors * kLanes <= a.channels_used; c += kVectors * kLanes, square += kVectors) {
        context_tap_f32_vectors<Isa, kVectors>(a, a.input + c, a.output + c, square,
                                               AllLanes<Batch>());
    }
    for (; c + kLanes <= a.channels_used; c += kLanes, ++square) {
        context_tap_f32_vectors<Isa, 1>(a, a.input + c, a.output + c, square, AllLanes<Batch>());
    }
    if (c == a.channels_used) return;
    // What is left, in the last lanes of a vector; of channels before it, which another thread may
    // compute, only the input is read.
    const int begin = a.channels_used - kLanes;
    if (begin >= 0) {
        context_tap_f32_vectors<Isa, 1>(a, a.input + begin, a.output + begin, square,
                                        MergedLanes<Batch>(c - begin));
    } else if (a.channels_before + begin >= 0) {
        context_tap_f32_vectors<Isa, 1>(a, a.input + begin, a.output + begin, square,
                                        LastLanes<Batch>{c - begin});
    } else {
        context_tap_f32_rest(a, c, square);
    }
}

template <class Isa>
void context_scale_f32(const ContextScaleF32& a) noexcept {
    using Batch = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Batch::size);

    float* column = a.data;
    const float* squares = a.squares;
    for (int b = 0; b < a.branches; ++b) {
        const int channels = a.channels[b];
        double total = 0.0;
        const int groups = context_squares(kLanes, channels);
        for (int i = 0; i < groups; ++i) total += static_cast<double>(squares[i]);
        squares += groups;
        const float scale =
            total > 0.0 ? static_cast<float>(static_cast<double>(a.values[b]) / total) : 0.0f;
        for (int x = 0; x < a.ow; ++x) {
            float* out = column + x * a.column;
            int c = 0;
            for (; c + kLanes <= channels; c += kLanes) {
                (Batch::load_unaligned(out + c) * Batch(scale)).store_unaligned(out + c);
            }
            for (; c < channels; ++c) out[c] *= scale;
        }
        column += channels;
    }
}

}  // namespace
}  // namespace lprnet::kernels
