// The inverse transform over lanes of any kind; see jpeg_dct.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/image_file/jpeg_lanes.h"
#include "engine/image_file/jpeg_scan.h"

namespace lprnet {

// sqrt(2) cos(k pi / 16) and sums of these with 13 fractional bits, in the factorization by
// Loeffler, Ligtenberg and Moschytz (ICASSP 1989). What is shared or not matters: libjpeg's
// accurate integer transform rounds these constants, and its vector code wraps the sums in front of
// them.
inline constexpr int kCosineBits = 13;
inline constexpr std::int16_t kEvenCosines[2][2] = {{10703, 4433}, {4433, -10704}};
// Of inputs 3 + 7 and 1 + 5, for outputs 0 and 2, and 1 and 3.
inline constexpr std::int16_t kSharedCosines[2][2] = {{9633, 6437}, {-6436, 9633}};
// Of two inputs for each output.
inline constexpr int kOwnInputs[4][2] = {{1, 7}, {3, 5}, {5, 3}, {7, 1}};
inline constexpr std::int16_t kOwnCosines[4][2] = {
    {4926, -7373}, {4177, -20995}, {-4176, -20995}, {-4927, -7373}};
// Fractional bits kept between columns and rows. Three bits more are dropped in the end: they are
// the transform's factor of 8.
inline constexpr int kKeptBits = 2;
inline constexpr int kRowShift = kCosineBits + kKeptBits + 3;

// The inverse transform down the columns, one in each lane, in place, rounded to `kShift` bits
// fewer, saturated. With inputs of 16 bits no sum leaves 32 bits.
template <int kShift, class Lanes>
void inverse_cosine_columns(typename Lanes::Shorts (&rows)[8]) noexcept {
    using Shorts = typename Lanes::Shorts;
    using Ints = typename Lanes::Ints;
    constexpr int kHalf = 1 << (kShift - 1);
    const Ints sum =
        Lanes::add(Lanes::template scaled<kCosineBits>(Lanes::add(rows[0], rows[4])), kHalf);
    const Ints difference =
        Lanes::add(Lanes::template scaled<kCosineBits>(Lanes::subtract(rows[0], rows[4])), kHalf);
    const auto of_two_and_six = [&](const std::int16_t(&cosines)[2]) {
        return Lanes::products(rows[2], cosines[0], rows[6], cosines[1]);
    };
    const Ints first = of_two_and_six(kEvenCosines[0]);
    const Ints second = of_two_and_six(kEvenCosines[1]);
    const Ints even[4] = {Lanes::add(sum, first), Lanes::add(difference, second),
                          Lanes::subtract(difference, second), Lanes::subtract(sum, first)};
    const Shorts three_seven = Lanes::add(rows[3], rows[7]);
    const Shorts one_five = Lanes::add(rows[1], rows[5]);
    Ints shared[2];
    for (int n = 0; n < 2; ++n) {
        shared[n] =
            Lanes::products(three_seven, kSharedCosines[n][0], one_five, kSharedCosines[n][1]);
    }
    Ints odd[4];
    for (int n = 0; n < 4; ++n) {
        odd[n] =
            Lanes::add(shared[n % 2], Lanes::products(rows[kOwnInputs[n][0]], kOwnCosines[n][0],
                                                      rows[kOwnInputs[n][1]], kOwnCosines[n][1]));
    }
    for (int n = 0; n < 4; ++n) {
        rows[n] = Lanes::template narrowed<kShift>(Lanes::add(even[n], odd[n]));
        rows[7 - n] = Lanes::template narrowed<kShift>(Lanes::subtract(even[n], odd[n]));
    }
}

inline bool has_one_row(const JpegBlock& block) noexcept {
    int any = 0;
    for (std::size_t i = 8; i < 64; ++i) any |= block[i];
    return any == 0;
}

// As inverse_dct(). Products of coefficients and steps wrap, and so does what one row is scaled
// by: only files that no encoder writes get so far that this changes a value; they then have
// OpenCV's pixels too.
template <class Lanes>
void inverse_dct_in(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                    std::ptrdiff_t stride) noexcept {
    typename Lanes::Shorts rows[8];
    for (std::size_t y = 0; y < 8; ++y) {
        rows[y] = Lanes::multiply(Lanes::load(&block[8 * y]), Lanes::load(&steps[8 * y]));
    }
    if (has_one_row(block)) {
        // Each column is its first coefficient; exact, so nothing is rounded, nor saturated.
        for (int bit = 0; bit < kKeptBits; ++bit) rows[0] = Lanes::add(rows[0], rows[0]);
        for (int y = 1; y < 8; ++y) rows[y] = rows[0];
    } else {
        inverse_cosine_columns<kCosineBits - kKeptBits, Lanes>(rows);
    }
    Lanes::transpose(rows);
    inverse_cosine_columns<kRowShift, Lanes>(rows);
    Lanes::transpose(rows);
    for (const typename Lanes::Shorts& row : rows) {
        Lanes::store_samples(row, out);
        out += stride;
    }
}

}  // namespace lprnet
