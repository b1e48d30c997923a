// One branch of the global context from a quantized tensor, in integers; the formulas stand in
// the header. Plain loops over a fixed number of channels, which every compiler turns into
// vectors: sums of integers are the same in any order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/context_levels/context_levels.h"

namespace lprnet::kernels {
namespace {

// Windows that overlap share strips as wide as their stride, if a window is a whole number of
// them and no more than these.
inline constexpr int kMaxContextStripsLevels = 8;

// The sums of N adjacent channels over `width` columns of a window, from its first pixel on.
template <class T, int N>
void sum_context_strip(const ContextTapLevels& a, const T* input, int width,
                       std::uint16_t (&strip)[N]) noexcept {
    std::uint16_t sum[N] = {};
    for (int r = 0; r < a.kh; ++r) {
        const T* pixel = input + r * a.input_row;
        for (int s = 0; s < width; ++s, pixel += a.channels) {
            for (int c = 0; c < N; ++c) {
                sum[c] = static_cast<std::uint16_t>(sum[c] + static_cast<std::uint16_t>(pixel[c]));
            }
        }
    }
    std::memcpy(strip, sum, sizeof sum);
}

// N adjacent channels over the whole image; the sum of their squares, with the channels' factors
// if there are any.
template <class T, int N>
std::int64_t context_tap_levels_channels(const ContextTapLevels& a, const T* input,
                                         std::int32_t* sums,
                                         const std::uint32_t* factors) noexcept {
    const bool shared = a.kw % a.stride_w == 0 && a.kw / a.stride_w <= kMaxContextStripsLevels;
    const int strips = shared ? a.kw / a.stride_w : 1;
    const int strip_width = a.kw / strips;
    std::uint64_t squares[N] = {};
    for (int y = 0; y < a.oh; ++y) {
        // At most kMaxContextWindowLevels * 255 in each window.
        std::uint16_t ring[kMaxContextStripsLevels][N];
        const T* next = input + y * a.stride_h * a.input_row;
        const auto sum_strip = [&](std::uint16_t(&strip)[N]) {
            sum_context_strip<T, N>(a, next, strip_width, strip);
            next += std::ptrdiff_t{a.stride_w} * a.channels;
        };
        for (int s = 0; s + 1 < strips; ++s) sum_strip(ring[s]);
        int newest = strips - 1;
        for (int x = 0; x < a.ow; ++x) {
            sum_strip(ring[newest]);
            newest = newest + 1 == strips ? 0 : newest + 1;  // the oldest, to be replaced next
            std::uint16_t window[N] = {};
            for (int s = 0; s < strips; ++s) {
                for (int c = 0; c < N; ++c) {
                    window[c] = static_cast<std::uint16_t>(window[c] + ring[s][c]);
                }
            }
            std::int32_t* out = sums + x * a.sums_column;
            if (y == 0) {
                for (int c = 0; c < N; ++c) out[c] = window[c];
            } else {
                for (int c = 0; c < N; ++c) out[c] += window[c];
            }
            for (int c = 0; c < N; ++c) squares[c] += std::uint32_t{window[c]} * window[c];
        }
    }
    std::uint64_t sum = 0;
    for (int c = 0; c < N; ++c) sum += squares[c] * (factors == nullptr ? 1U : factors[c]);
    return static_cast<std::int64_t>(sum);
}

// Channels from `c` on, N at a time as often as there are so many, the others by fewer.
template <class T, int N, int... Fewer>
std::int64_t context_tap_levels_from(const ContextTapLevels& a, int c) noexcept {
    std::int64_t squares = 0;
    for (; c + N <= a.channels_used; c += N) {
        const std::uint32_t* factors = a.square_factors ? a.square_factors + c : nullptr;
        squares += context_tap_levels_channels<T, N>(a, static_cast<const T*>(a.input) + c,
                                                     a.sums + c, factors);
    }
    if constexpr (sizeof...(Fewer) > 0) squares += context_tap_levels_from<T, Fewer...>(a, c);
    return squares;
}

template <class T>
void context_tap_levels(const ContextTapLevels& a) noexcept {
    *a.squares = context_tap_levels_from<T, kContextLevelsChannels, 8, 4, 1>(a, 0);
}

inline void context_scale_levels(const ContextScaleLevels& a) noexcept {
    char* column = static_cast<char*>(a.data);
    const std::int64_t* squares = a.squares;
    for (int b = 0; b < a.branches; ++b) {
        const int channels = a.channels[b];
        std::int64_t total = 0;
        for (int i = 0; i < a.parts[b]; ++i) total += *squares++;
        const float gain =
            total > 0 ? static_cast<float>(a.gains[b] / static_cast<double>(total)) : 0.0f;
        for (int x = 0; x < a.ow; ++x) {
            char* value = column + x * a.column * std::ptrdiff_t{sizeof(float)};
            const float* channel_factors = a.channel_factors[b];
            for (int c = 0; c < channels; ++c, value += sizeof(float)) {
                std::int32_t sum;
                std::memcpy(&sum, value, sizeof sum);
                float scaled = static_cast<float>(sum) * gain;
                if (channel_factors != nullptr) scaled *= channel_factors[c];
                std::memcpy(value, &scaled, sizeof scaled);
            }
        }
        column += channels * std::ptrdiff_t{sizeof(float)};
    }
}

}  // namespace
}  // namespace lprnet::kernels
