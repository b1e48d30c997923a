// Eight numbers of 16 bits side by side, and what the inverse cosine transform does with them: in
// vectors of SSE2 or NEON, which every processor of these kinds has, or in plain loops. All three
// give the same bits: sums and products of 16 bits wrap, nothing else leaves its range.
#pragma once

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace lprnet {

// Plain loops. `Shorts` are eight numbers of 16 bits, `Ints` eight of 32.
struct PlainLanes {
    using Shorts = std::array<std::int16_t, 8>;
    using Ints = std::array<std::int32_t, 8>;

    static Shorts load(const std::int16_t* from) noexcept {
        return made([&](std::size_t i) { return from[i]; });
    }
    static Shorts add(const Shorts& a, const Shorts& b) noexcept {
        return made([&](std::size_t i) { return a[i] + b[i]; });
    }
    static Shorts subtract(const Shorts& a, const Shorts& b) noexcept {
        return made([&](std::size_t i) { return a[i] - b[i]; });
    }
    // The lower 16 bits of the products.
    static Shorts multiply(const Shorts& a, const Shorts& b) noexcept {
        return made([&](std::size_t i) { return a[i] * b[i]; });
    }

    // a * x + b * y.
    static Ints products(const Shorts& a, std::int16_t x, const Shorts& b,
                         std::int16_t y) noexcept {
        Ints sums;
        for (std::size_t i = 0; i < 8; ++i) sums[i] = a[i] * x + b[i] * y;
        return sums;
    }
    // a * 2^kBits; kBits is at most 16.
    template <int kBits>
    static Ints scaled(const Shorts& a) noexcept {
        Ints products;
        for (std::size_t i = 0; i < 8; ++i) products[i] = a[i] * (1 << kBits);
        return products;
    }
    static Ints add(const Ints& a, const Ints& b) noexcept {
        Ints sums;
        for (std::size_t i = 0; i < 8; ++i) sums[i] = a[i] + b[i];
        return sums;
    }
    static Ints subtract(const Ints& a, const Ints& b) noexcept {
        Ints differences;
        for (std::size_t i = 0; i < 8; ++i) differences[i] = a[i] - b[i];
        return differences;
    }
    static Ints add(const Ints& a, std::int32_t b) noexcept {
        Ints sums;
        for (std::size_t i = 0; i < 8; ++i) sums[i] = a[i] + b;
        return sums;
    }
    // a / 2^kBits, rounded down, saturated.
    template <int kBits>
    static Shorts narrowed(const Ints& a) noexcept {
        return made([&](std::size_t i) { return std::clamp(a[i] >> kBits, SHRT_MIN, SHRT_MAX); });
    }

    static void transpose(Shorts (&rows)[8]) noexcept {
        for (std::size_t y = 0; y < 8; ++y) {
            for (std::size_t x = 0; x < y; ++x) std::swap(rows[y][x], rows[x][y]);
        }
    }
    // a + 128 in the range of a byte.
    static void store_samples(const Shorts& a, std::uint8_t* to) noexcept {
        for (std::size_t i = 0; i < 8; ++i) {
            to[i] = static_cast<std::uint8_t>(std::clamp(a[i] + 128, 0, 255));
        }
    }

private:
    template <class Value>
    static Shorts made(const Value& value) noexcept {
        Shorts lanes;
        for (std::size_t i = 0; i < 8; ++i) lanes[i] = static_cast<std::int16_t>(value(i));
        return lanes;
    }
};

#if defined(__SSE2__)

struct Sse2Lanes {
    using Shorts = __m128i;
    struct Ints {
        __m128i low, high;  // lanes 0 to 3, 4 to 7
    };

    static Shorts load(const std::int16_t* from) noexcept {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    }
    static Shorts add(Shorts a, Shorts b) noexcept { return _mm_add_epi16(a, b); }
    static Shorts subtract(Shorts a, Shorts b) noexcept { return _mm_sub_epi16(a, b); }
    static Shorts multiply(Shorts a, Shorts b) noexcept { return _mm_mullo_epi16(a, b); }

    static Ints products(Shorts a, std::int16_t x, Shorts b, std::int16_t y) noexcept {
        const __m128i factors = _mm_set_epi16(y, x, y, x, y, x, y, x);
        return {_mm_madd_epi16(_mm_unpacklo_epi16(a, b), factors),
                _mm_madd_epi16(_mm_unpackhi_epi16(a, b), factors)};
    }
    template <int kBits>
    static Ints scaled(Shorts a) noexcept {
        const __m128i zero = _mm_setzero_si128();
        return {_mm_srai_epi32(_mm_unpacklo_epi16(zero, a), 16 - kBits),
                _mm_srai_epi32(_mm_unpackhi_epi16(zero, a), 16 - kBits)};
    }
    static Ints add(Ints a, Ints b) noexcept {
        return {_mm_add_epi32(a.low, b.low), _mm_add_epi32(a.high, b.high)};
    }
    static Ints subtract(Ints a, Ints b) noexcept {
        return {_mm_sub_epi32(a.low, b.low), _mm_sub_epi32(a.high, b.high)};
    }
    static Ints add(Ints a, std::int32_t b) noexcept {
        const __m128i all = _mm_set1_epi32(b);
        return {_mm_add_epi32(a.low, all), _mm_add_epi32(a.high, all)};
    }
    template <int kBits>
    static Shorts narrowed(Ints a) noexcept {
        return _mm_packs_epi32(_mm_srai_epi32(a.low, kBits), _mm_srai_epi32(a.high, kBits));
    }

    static void transpose(Shorts (&rows)[8]) noexcept {
        // Pairs of rows, then of pairs, then of fours: in the end a vector has one column.
        Shorts a[8], b[8];
        for (int i = 0; i < 4; ++i) {
            a[2 * i] = _mm_unpacklo_epi16(rows[2 * i], rows[2 * i + 1]);
            a[2 * i + 1] = _mm_unpackhi_epi16(rows[2 * i], rows[2 * i + 1]);
        }
        for (int i = 0; i < 8; i += 4) {
            b[i] = _mm_unpacklo_epi32(a[i], a[i + 2]);
            b[i + 1] = _mm_unpackhi_epi32(a[i], a[i + 2]);
            b[i + 2] = _mm_unpacklo_epi32(a[i + 1], a[i + 3]);
            b[i + 3] = _mm_unpackhi_epi32(a[i + 1], a[i + 3]);
        }
        for (int i = 0; i < 4; ++i) {
            rows[2 * i] = _mm_unpacklo_epi64(b[i], b[i + 4]);
            rows[2 * i + 1] = _mm_unpackhi_epi64(b[i], b[i + 4]);
        }
    }
    static void store_samples(Shorts a, std::uint8_t* to) noexcept {
        const __m128i samples = _mm_adds_epi16(a, _mm_set1_epi16(128));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(samples, samples));
    }
};
using NativeLanes = Sse2Lanes;

#elif defined(__aarch64__)

struct NeonLanes {
    using Shorts = int16x8_t;
    struct Ints {
        int32x4_t low, high;  // lanes 0 to 3, 4 to 7
    };

    static Shorts load(const std::int16_t* from) noexcept { return vld1q_s16(from); }
    static Shorts add(Shorts a, Shorts b) noexcept { return vaddq_s16(a, b); }
    static Shorts subtract(Shorts a, Shorts b) noexcept { return vsubq_s16(a, b); }
    static Shorts multiply(Shorts a, Shorts b) noexcept { return vmulq_s16(a, b); }

    static Ints products(Shorts a, std::int16_t x, Shorts b, std::int16_t y) noexcept {
        return {vmlal_n_s16(vmull_n_s16(vget_low_s16(a), x), vget_low_s16(b), y),
                vmlal_n_s16(vmull_n_s16(vget_high_s16(a), x), vget_high_s16(b), y)};
    }
    template <int kBits>
    static Ints scaled(Shorts a) noexcept {
        return {vshll_n_s16(vget_low_s16(a), kBits), vshll_n_s16(vget_high_s16(a), kBits)};
    }
    static Ints add(Ints a, Ints b) noexcept {
        return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)};
    }
    static Ints subtract(Ints a, Ints b) noexcept {
        return {vsubq_s32(a.low, b.low), vsubq_s32(a.high, b.high)};
    }
    static Ints add(Ints a, std::int32_t b) noexcept {
        const int32x4_t all = vdupq_n_s32(b);
        return {vaddq_s32(a.low, all), vaddq_s32(a.high, all)};
    }
    template <int kBits>
    static Shorts narrowed(Ints a) noexcept {
        return vcombine_s16(vqmovn_s32(vshrq_n_s32(a.low, kBits)),
                            vqmovn_s32(vshrq_n_s32(a.high, kBits)));
    }

    static void transpose(Shorts (&rows)[8]) noexcept {
        // Squares of one, two and four numbers change places across the diagonal.
        for (int i = 0; i < 8; i += 2) {
            const int16x8x2_t pair = vtrnq_s16(rows[i], rows[i + 1]);
            rows[i] = pair.val[0];
            rows[i + 1] = pair.val[1];
        }
        for (const int i : {0, 1, 4, 5}) {
            const int32x4x2_t pair =
                vtrnq_s32(vreinterpretq_s32_s16(rows[i]), vreinterpretq_s32_s16(rows[i + 2]));
            rows[i] = vreinterpretq_s16_s32(pair.val[0]);
            rows[i + 2] = vreinterpretq_s16_s32(pair.val[1]);
        }
        for (int i = 0; i < 4; ++i) {
            const Shorts low = rows[i], high = rows[i + 4];
            rows[i] = vcombine_s16(vget_low_s16(low), vget_low_s16(high));
            rows[i + 4] = vcombine_s16(vget_high_s16(low), vget_high_s16(high));
        }
    }
    static void store_samples(Shorts a, std::uint8_t* to) noexcept {
        vst1_u8(to, vqmovun_s16(vqaddq_s16(a, vdupq_n_s16(128))));
    }
};
using NativeLanes = NeonLanes;

#else

using NativeLanes = PlainLanes;

#endif

}  // namespace lprnet
