#include "engine/image_file/jpeg_dct.h"

#include <algorithm>
#include <climits>
#include <cstring>

namespace lprnet {
namespace {

// sqrt(2) cos(k pi / 16) and sums of these with 13 fractional bits, in the factorisation by
// Loeffler, Ligtenberg and Moschytz (ICASSP 1989). What is shared or not matters: libjpeg's
// accurate integer transform rounds these constants, and its vector code wraps the sums in front of
// them.
constexpr int kCosineBits = 13;
constexpr std::int16_t kEvenCosines[2][2] = {{10703, 4433}, {4433, -10704}};
// Of inputs 3 + 7 and 1 + 5, for outputs 0 and 2, and 1 and 3.
constexpr std::int16_t kSharedCosines[2][2] = {{9633, 6437}, {-6436, 9633}};
// Of two inputs for each output.
constexpr int kOwnInputs[4][2] = {{1, 7}, {3, 5}, {5, 3}, {7, 1}};
constexpr std::int16_t kOwnCosines[4][2] = {
    {4926, -7373}, {4177, -20995}, {-4176, -20995}, {-4927, -7373}};
// Fractional bits kept between columns and rows. Three bits more are dropped in the end: they are
// the transform's factor of 8.
constexpr int kKeptBits = 2;
constexpr int kRowShift = kCosineBits + kKeptBits + 3;

// Eight columns at once, for the compiler to put into vectors: products of 16-bit numbers are cheap
// on every processor, of 32-bit ones on some.
using Line = std::int16_t[8];

std::int16_t saturated(int value) noexcept {
    return static_cast<std::int16_t>(std::clamp(value, SHRT_MIN, SHRT_MAX));
}

// Only files that no encoder writes get so far that this changes a value; they then have OpenCV's
// pixels too.
std::int16_t wrapped(int value) noexcept {
    return static_cast<std::int16_t>(value);
}

// The inverse transform down the columns, rounded to `kShift` bits fewer, saturated. With inputs of
// 16 bits no sum leaves 32 bits.
template <int kShift>
void inverse_cosine_columns(const Line (&in)[8], Line (&out)[8]) noexcept {
    constexpr int kHalf = 1 << (kShift - 1);
    for (int x = 0; x < 8; ++x) {
        const int sum = wrapped(in[0][x] + in[4][x]) * (1 << kCosineBits);
        const int difference = wrapped(in[0][x] - in[4][x]) * (1 << kCosineBits);
        const int first = kEvenCosines[0][0] * in[2][x] + kEvenCosines[0][1] * in[6][x];
        const int second = kEvenCosines[1][0] * in[2][x] + kEvenCosines[1][1] * in[6][x];
        const int even[4] = {sum + first + kHalf, difference + second + kHalf,
                             difference - second + kHalf, sum - first + kHalf};
        const std::int16_t three_seven = wrapped(in[3][x] + in[7][x]);
        const std::int16_t one_five = wrapped(in[1][x] + in[5][x]);
        for (int n = 0; n < 4; ++n) {
            const std::int16_t* shared = kSharedCosines[n % 2];
            const std::int16_t* own = kOwnCosines[n];
            const int odd = shared[0] * three_seven + shared[1] * one_five +
                            own[0] * in[kOwnInputs[n][0]][x] + own[1] * in[kOwnInputs[n][1]][x];
            out[n][x] = saturated((even[n] + odd) >> kShift);
            out[7 - n][x] = saturated((even[n] - odd) >> kShift);
        }
    }
}

void transpose(const Line (&in)[8], Line (&out)[8]) noexcept {
    for (int y = 0; y < 8; ++y) {
        for (int x = 0; x < 8; ++x) out[x][y] = in[y][x];
    }
}

std::uint8_t sample(int value) noexcept {
    return static_cast<std::uint8_t>(std::clamp(value + 128, 0, 255));
}

std::int16_t dequantized(std::int16_t coefficient, std::int16_t step) noexcept {
    return wrapped(coefficient * step);
}

bool has_one_row(const JpegBlock& block) noexcept {
    int any = 0;
    for (std::size_t i = 8; i < 64; ++i) any |= block[i];
    return any == 0;
}

}  // namespace

void inverse_dct(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                 std::ptrdiff_t stride) noexcept {
    Line a[8], b[8];
    for (std::size_t i = 0; i < 64; ++i) a[i / 8][i % 8] = dequantized(block[i], steps[i]);
    if (has_one_row(block)) {
        // Each column is its first coefficient; exact, so nothing is rounded, nor saturated.
        for (Line& line : b) {
            for (int x = 0; x < 8; ++x) line[x] = wrapped(a[0][x] * (1 << kKeptBits));
        }
    } else {
        inverse_cosine_columns<kCosineBits - kKeptBits>(a, b);
    }
    transpose(b, a);
    inverse_cosine_columns<kRowShift>(a, b);
    transpose(b, a);
    for (const Line& line : a) {
        for (int x = 0; x < 8; ++x) out[x] = sample(line[x]);
        out += stride;
    }
}

void inverse_dct_of_mean(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                         std::ptrdiff_t stride) noexcept {
    // Both passes multiply by 1, and the first one is exact.
    const int scaled = wrapped(dequantized(block[0], steps[0]) * (1 << kKeptBits));
    constexpr int kShift = kKeptBits + 3;
    const std::uint8_t value = sample((scaled + (1 << (kShift - 1))) >> kShift);
    for (int y = 0; y < 8; ++y, out += stride) std::memset(out, value, 8);
}

}  // namespace lprnet
