// The one translation unit that holds stb_image.
//
// Networks are trained on pixels from OpenCV, whose JPEG decoder is libjpeg. stb_image
// rounds differently in three steps, and a level here and there is enough to change more
// than one plate in a hundred of a network that is unsure. The three are functions that a
// JPEG decoder of stb_image holds as pointers, so they are replaced here: then baseline
// JPEG with 4:2:0 or 4:4:4 chroma decodes to the same pixels.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_STDIO
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_MAX_DIMENSIONS 32768
#include <stb_image.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "engine/cli/stb_decoder.h"

namespace lprnet::cli {
namespace {

stbi_uc clamp_to_byte(int value) noexcept {
    return static_cast<stbi_uc>(std::clamp(value, 0, 255));
}

// sqrt(2) cos(k pi / 16) with 13 fractional bits. Where the last digit is not the nearest,
// it is that of the sums of rounded constants in the factorisation by Loeffler, Ligtenberg
// and Moschytz (ICASSP 1989), which libjpeg's accurate integer transform evaluates.
constexpr int kCosineBits = 13;
constexpr int kEvenCosines[2][2] = {{10703, 4433}, {4433, -10704}};
constexpr int kOddCosines[4][4] = {{11363, 9633, 6437, 2260},
                                   {9633, -2259, -11362, -6436},
                                   {6437, -11362, 2261, 9633},
                                   {2260, -6436, 9633, -11363}};

// The inverse transform of one line of 8 coefficients, rounded to `shift` bits fewer. With
// coefficients of 16 bits no sum leaves 32 bits.
void inverse_cosine_line(const int (&in)[8], int shift, int (&out)[8]) noexcept {
    const int half = 1 << (shift - 1);
    const int sum = (in[0] + in[4]) * (1 << kCosineBits);
    const int difference = (in[0] - in[4]) * (1 << kCosineBits);
    const int first = kEvenCosines[0][0] * in[2] + kEvenCosines[0][1] * in[6];
    const int second = kEvenCosines[1][0] * in[2] + kEvenCosines[1][1] * in[6];
    const int even[4] = {sum + first, difference + second, difference - second, sum - first};
    for (int n = 0; n < 4; ++n) {
        const int* c = kOddCosines[n];
        const int odd = c[0] * in[1] + c[1] * in[3] + c[2] * in[5] + c[3] * in[7];
        out[n] = (even[n] + odd + half) >> shift;
        out[7 - n] = (even[n] - odd + half) >> shift;
    }
}

// 8x8 samples from dequantised coefficients, both in rows. Two fractional bits are kept
// between columns and rows; the 3 bits more in the end are the transform's factor of 8.
void inverse_cosine_transform(stbi_uc* out, int stride, short coefficients[64]) {
    constexpr int kKeptBits = 2;
    int columns[8][8];
    for (int x = 0; x < 8; ++x) {
        int in[8];
        for (int y = 0; y < 8; ++y) in[y] = coefficients[8 * y + x];
        inverse_cosine_line(in, kCosineBits - kKeptBits, columns[x]);
    }
    for (int y = 0; y < 8; ++y, out += stride) {
        int in[8], samples[8];
        // No picture gets near the limits; damaged files do.
        for (int x = 0; x < 8; ++x) in[x] = std::clamp(columns[x][y], SHRT_MIN, SHRT_MAX);
        inverse_cosine_line(in, kCosineBits + kKeptBits + 3, samples);
        for (int x = 0; x < 8; ++x) out[x] = clamp_to_byte(samples[x] + 128);
    }
}

// JFIF's conversion with 16 fractional bits, rounded to nearest:
//   R = Y + 1.402 Cr, G = Y - 0.344136 Cb - 0.714136 Cr, B = Y + 1.772 Cb
void ycbcr_to_rgb(stbi_uc* out, const stbi_uc* luma, const stbi_uc* blue, const stbi_uc* red,
                  int count, int step) {
    constexpr int kBits = 16;
    constexpr int kHalf = 1 << (kBits - 1);
    constexpr auto fixed = [](double x) { return static_cast<int>(x * (1 << kBits) + 0.5); };
    constexpr int kRedCr = fixed(1.402);
    constexpr int kGreenCb = fixed(0.344136286);
    constexpr int kGreenCr = fixed(0.714136286);
    constexpr int kBlueCb = fixed(1.772);
    for (int i = 0; i < count; ++i, out += step) {
        const int y = luma[i];
        const int cb = blue[i] - 128;
        const int cr = red[i] - 128;
        out[0] = clamp_to_byte(y + ((kRedCr * cr + kHalf) >> kBits));
        out[1] = clamp_to_byte(y + ((kHalf - kGreenCb * cb - kGreenCr * cr) >> kBits));
        out[2] = clamp_to_byte(y + ((kBlueCb * cb + kHalf) >> kBits));
        if (step == 4) out[3] = 255;
    }
}

// Chroma at twice the width and height: 3/4 of the nearer and 1/4 of the farther sample
// each way, so sixteenths. The halves are rounded up in even columns and down in odd
// ones, which leaves no bias.
stbi_uc* double_chroma(stbi_uc* out, stbi_uc* near_row, stbi_uc* far_row, int width, int) {
    const auto column = [&](int i) {
        const int c = std::clamp(i, 0, width - 1);
        return 3 * near_row[c] + far_row[c];
    };
    for (int i = 0; i < width; ++i) {
        out[2 * i] = static_cast<stbi_uc>((3 * column(i) + column(i - 1) + 8) >> 4);
        out[2 * i + 1] = static_cast<stbi_uc>((3 * column(i) + column(i + 1) + 7) >> 4);
    }
    return out;
}

constexpr int kRgb = 3;

// The decoder's words, which are none at all for some chunks of a PNG that was cut off.
const char* failure_reason() noexcept {
    const char* reason = stbi_failure_reason();
    return reason != nullptr && reason[0] != '\0' ? reason : "unexpected bytes or end";
}

stbi_uc* decode_jpeg(stbi__context* context, int* width, int* height) {
    auto* decoder = static_cast<stbi__jpeg*>(stbi__malloc(sizeof(stbi__jpeg)));
    if (decoder == nullptr) {
        stbi__err("outofmem", "Out of memory");
        return nullptr;
    }
    std::memset(decoder, 0, sizeof *decoder);
    decoder->s = context;
    stbi__setup_jpeg(decoder);
    decoder->idct_block_kernel = inverse_cosine_transform;
    decoder->YCbCr_to_RGB_kernel = ycbcr_to_rgb;
    decoder->resample_row_hv_2_kernel = double_chroma;
    int components = 0;
    stbi_uc* pixels = load_jpeg_image(decoder, width, height, &components, kRgb);
    STBI_FREE(decoder);
    return pixels;
}

}  // namespace

DecodeResult decode_rgb(std::span<const std::byte> file, std::int64_t max_pixels) {
    DecodeResult result;
    if (file.size() > INT_MAX) {
        result.reason = "2 GiB or more";
        return result;
    }
    const auto* data = reinterpret_cast<const stbi_uc*>(file.data());
    const int size = static_cast<int>(file.size());
    int components = 0;
    if (stbi_info_from_memory(data, size, &result.width, &result.height, &components) == 0) {
        result.reason = failure_reason();
        return result;
    }
    result.recognised = true;
    if (static_cast<std::int64_t>(result.width) * result.height > max_pixels) {
        result.too_large = true;
        return result;
    }
    stbi__context context;
    stbi__start_mem(&context, data, size);
    const bool jpeg = stbi__jpeg_test(&context) != 0;
    stbi__start_mem(&context, data, size);
    result.pixels =
        jpeg ? decode_jpeg(&context, &result.width, &result.height)
             : stbi_load_from_memory(data, size, &result.width, &result.height, &components, kRgb);
    if (result.pixels == nullptr) result.reason = failure_reason();
    return result;
}

void free_pixels(std::uint8_t* pixels) noexcept {
    stbi_image_free(pixels);
}

}  // namespace lprnet::cli
