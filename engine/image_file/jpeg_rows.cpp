#include "engine/image_file/jpeg_rows.h"

#include <algorithm>
#include <array>

namespace lprnet {
namespace {

using Sample = std::uint8_t;

Sample clamp_to_byte(int value) noexcept {
    return static_cast<Sample>(std::clamp(value, 0, 255));
}

// --- Components at the picture's size ---

// Twice as many samples as `in` has, each 3/4 of the nearer and 1/4 of the farther one, as
// (3 nearer + farther + rounding) >> kShift. Halves are rounded up in odd columns and down in even
// ones, or the other way round, which leaves no bias.
template <int kShift, int kEvenRounding, int kOddRounding, class In>
void double_columns(const In* in, int width, Sample* out) noexcept {
    const auto value = [](int nearer, int farther, int rounding) {
        return static_cast<Sample>((3 * nearer + farther + rounding) >> kShift);
    };
    const int last = width - 1;
    out[0] = value(in[0], in[0], kEvenRounding);
    for (int i = 0; i < last; ++i) {
        out[2 * i + 1] = value(in[i], in[i + 1], kOddRounding);
        out[2 * i + 2] = value(in[i + 1], in[i], kEvenRounding);
    }
    out[2 * last + 1] = value(in[last], in[last], kOddRounding);
}

// Gives rows of one component at the picture's width.
class Upsampler {
public:
    explicit Upsampler(const JpegPlane& plane)
        : plane_(plane),
          row_(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.across)),
          sums_(static_cast<std::size_t>(plane.width)) {}

    // Row y of the picture; valid until the next call. libjpeg's rules: triangle filters where the
    // size doubles in columns (if there are three samples or more), rows or both; else repetition.
    const Sample* row(int y) {
        const bool smooth = plane_.width > 2;
        if (plane_.across == 1 && plane_.down == 1) return source(y);
        if (plane_.across == 2 && plane_.down == 1 && smooth) {
            double_columns<2, 1, 2>(source(y), plane_.width, row_.data());
        } else if (plane_.across == 1 && plane_.down == 2) {
            const int rounding = y % 2 == 0 ? 1 : 2;
            sum_rows(y);
            for (std::size_t i = 0; i < row_.size(); ++i) {
                row_[i] = static_cast<Sample>((sums_[i] + rounding) / 4);
            }
        } else if (plane_.across == 2 && plane_.down == 2 && smooth) {
            sum_rows(y);
            double_columns<4, 8, 7>(sums_.data(), plane_.width, row_.data());
        } else {
            repeat_columns(source(y / plane_.down));
        }
        return row_.data();
    }

private:
    const Sample* source(int y) const noexcept { return plane_.samples.data() + y * plane_.stride; }

    // 3 of the nearer row and 1 of the farther one; beyond the picture its edge goes on.
    void sum_rows(int y) noexcept {
        const int nearer = y / 2;
        const int farther = std::clamp(nearer + (y % 2 == 0 ? -1 : 1), 0, plane_.height - 1);
        const Sample* a = source(nearer);
        const Sample* b = source(farther);
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            sums_[i] = static_cast<std::uint16_t>(3 * a[i] + b[i]);
        }
    }

    void repeat_columns(const Sample* from) noexcept {
        Sample* out = row_.data();
        for (int i = 0; i < plane_.width; ++i) out = std::fill_n(out, plane_.across, from[i]);
    }

    const JpegPlane& plane_;
    std::vector<Sample> row_;
    std::vector<std::uint16_t> sums_;
};

// --- Colors ---

// Red, green and blue of a part of a row, apart from each other so that loops become vectors.
struct Colors {
    static constexpr int kPixels = 128;
    Sample red[kPixels], green[kPixels], blue[kPixels];
};

using Rows = std::array<const Sample*, 4>;

// JFIF's conversion with 16 fractional bits, rounded to nearest:
//   R = Y + 1.402 Cr, G = Y - 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb
// (the constants as libjpeg writes them: with a digit more one level of green changes). Whole
// parts of the factors are taken out, so that all products are those of 16-bit numbers.
void from_ycc(const Rows& rows, int x0, int count, Colors& out) noexcept {
    constexpr int kBits = 16;
    constexpr int kHalf = 1 << (kBits - 1);
    constexpr auto fixed = [](double x) { return static_cast<int>(x * (1 << kBits) + 0.5); };
    constexpr auto kRedCr = static_cast<std::int16_t>(fixed(1.402) - (1 << kBits));
    constexpr auto kGreenCb = static_cast<std::int16_t>(-fixed(0.34414));
    constexpr auto kGreenCr = static_cast<std::int16_t>((1 << kBits) - fixed(0.71414));
    constexpr auto kBlueCb = static_cast<std::int16_t>(fixed(1.772) - (2 << kBits));
    const Sample* luma = rows[0] + x0;
    const Sample* blue_difference = rows[1] + x0;
    const Sample* red_difference = rows[2] + x0;
    for (int i = 0; i < count; ++i) {
        const std::int16_t y = luma[i];
        const auto cb = static_cast<std::int16_t>(blue_difference[i] - 128);
        const auto cr = static_cast<std::int16_t>(red_difference[i] - 128);
        const int red = y + cr + ((kRedCr * cr + kHalf) >> kBits);
        const int green = y - cr + ((kGreenCb * cb + kGreenCr * cr + kHalf) >> kBits);
        const int blue = y + 2 * cb + ((kBlueCb * cb + kHalf) >> kBits);
        out.red[i] = clamp_to_byte(red);
        out.green[i] = clamp_to_byte(green);
        out.blue[i] = clamp_to_byte(blue);
    }
}

// What OpenCV makes of inverted CMYK, the form in which every program writes it. `out` holds the
// three inks and becomes colors.
void from_inverted_cmyk(const Sample* black, int count, Colors& out) noexcept {
    for (Sample* inks : {out.red, out.green, out.blue}) {
        for (int i = 0; i < count; ++i) {
            const int k = black[i];
            inks[i] = static_cast<Sample>(k - ((255 - inks[i]) * k >> 8));
        }
    }
}

void copy(const Rows& rows, int x0, int count, Colors& out) noexcept {
    std::copy_n(rows[0] + x0, count, out.red);
    std::copy_n(rows[1] + x0, count, out.green);
    std::copy_n(rows[2] + x0, count, out.blue);
}

void colors_of(const Rows& rows, JpegColor color, int x0, int count, Colors& out) noexcept {
    switch (color) {
        case JpegColor::gray: return copy({rows[0], rows[0], rows[0]}, x0, count, out);
        case JpegColor::rgb: return copy(rows, x0, count, out);
        case JpegColor::ycc: return from_ycc(rows, x0, count, out);
        case JpegColor::cmyk: copy(rows, x0, count, out); break;
        case JpegColor::ycck:
            from_ycc(rows, x0, count, out);
            for (Sample* channel : {out.red, out.green, out.blue}) {
                for (int i = 0; i < count; ++i) channel[i] = static_cast<Sample>(255 - channel[i]);
            }
            break;
    }
    from_inverted_cmyk(rows[3] + x0, count, out);
}

void write_row(const Rows& rows, JpegColor color, int width, Sample* out) noexcept {
    Colors colors;
    for (int x0 = 0; x0 < width; x0 += Colors::kPixels) {
        const int count = std::min(Colors::kPixels, width - x0);
        colors_of(rows, color, x0, count, colors);
        for (int i = 0; i < count; ++i, out += 3) {
            out[0] = colors.red[i];
            out[1] = colors.green[i];
            out[2] = colors.blue[i];
        }
    }
}

}  // namespace

void jpeg_to_rgb(const std::vector<JpegPlane>& planes, JpegColor color, int width, int height,
                 std::uint8_t* rgb) {
    std::vector<Upsampler> upsamplers(planes.begin(), planes.end());
    for (int y = 0; y < height; ++y, rgb += std::ptrdiff_t{3} * width) {
        Rows rows = {};
        for (std::size_t i = 0; i < planes.size(); ++i) rows[i] = upsamplers[i].row(y);
        write_row(rows, color, width, rgb);
    }
}

}  // namespace lprnet
