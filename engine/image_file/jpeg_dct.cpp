#include "engine/image_file/jpeg_dct.h"

#include <algorithm>
#include <climits>
#include <cstring>

namespace lprnet {
namespace {

// sqrt(2) cos(k pi / 16) with 13 fractional bits. Where the last digit is not the nearest,
// it is that of the sums of rounded constants in the factorisation by Loeffler, Ligtenberg
// and Moschytz (ICASSP 1989), which libjpeg's accurate integer transform evaluates.
constexpr int kCosineBits = 13;
constexpr std::int16_t kEvenCosines[2][2] = {{10703, 4433}, {4433, -10704}};
constexpr std::int16_t kOddCosines[4][4] = {{11363, 9633, 6437, 2260},
                                            {9633, -2259, -11362, -6436},
                                            {6437, -11362, 2261, 9633},
                                            {2260, -6436, 9633, -11363}};
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

// The inverse transform down the columns, rounded to `kShift` bits fewer, saturated. With inputs of
// 16 bits no sum leaves 32 bits.
template <int kShift>
void inverse_cosine_columns(const Line (&in)[8], Line (&out)[8]) noexcept {
    constexpr int kHalf = 1 << (kShift - 1);
    for (int x = 0; x < 8; ++x) {
        const int sum = (in[0][x] + in[4][x]) * (1 << kCosineBits);
        const int difference = (in[0][x] - in[4][x]) * (1 << kCosineBits);
        const int first = kEvenCosines[0][0] * in[2][x] + kEvenCosines[0][1] * in[6][x];
        const int second = kEvenCosines[1][0] * in[2][x] + kEvenCosines[1][1] * in[6][x];
        const int even[4] = {sum + first + kHalf, difference + second + kHalf,
                             difference - second + kHalf, sum - first + kHalf};
        for (int n = 0; n < 4; ++n) {
            const std::int16_t* c = kOddCosines[n];
            const int odd = c[0] * in[1][x] + c[1] * in[3][x] + c[2] * in[5][x] + c[3] * in[7][x];
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

// As 16 bits, where the products of damaged files wrap in every decoder.
std::int16_t dequantised(std::int16_t coefficient, std::int16_t step) noexcept {
    return static_cast<std::int16_t>(coefficient * step);
}

}  // namespace

void inverse_dct(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                 std::ptrdiff_t stride) noexcept {
    Line a[8], b[8];
    for (std::size_t i = 0; i < 64; ++i) a[i / 8][i % 8] = dequantised(block[i], steps[i]);
    inverse_cosine_columns<kCosineBits - kKeptBits>(a, b);
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
    const int scaled = dequantised(block[0], steps[0]) * (1 << kKeptBits);
    constexpr int kShift = kKeptBits + 3;
    const std::uint8_t value = sample((saturated(scaled) + (1 << (kShift - 1))) >> kShift);
    for (int y = 0; y < 8; ++y, out += stride) std::memset(out, value, 8);
}

}  // namespace lprnet
