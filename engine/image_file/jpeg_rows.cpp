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

// Twice as many samples as `in` has, each 3/4 of the nearer and 1/4 of the farther one. `in` comes
// scaled by `scale`; halves are rounded up in odd columns and down in even ones, or the other way
// round, which leaves no bias.
template <class In>
void double_columns(const In* in, int width, int scale, int even_rounding, int odd_rounding,
                    Sample* out) noexcept {
    const int divisor = 4 * scale;
    const auto value = [&](int nearer, int farther, int rounding) {
        return static_cast<Sample>((3 * nearer + farther + rounding) / divisor);
    };
    const int last = width - 1;
    out[0] = value(in[0], in[0], even_rounding);
    for (int i = 0; i < last; ++i) {
        out[2 * i + 1] = value(in[i], in[i + 1], odd_rounding);
        out[2 * i + 2] = value(in[i + 1], in[i], even_rounding);
    }
    out[2 * last + 1] = value(in[last], in[last], odd_rounding);
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
            double_columns(source(y), plane_.width, 1, 1, 2, row_.data());
        } else if (plane_.across == 1 && plane_.down == 2) {
            const int rounding = y % 2 == 0 ? 1 : 2;
            sum_rows(y);
            for (std::size_t i = 0; i < row_.size(); ++i) {
                row_[i] = static_cast<Sample>((sums_[i] + rounding) / 4);
            }
        } else if (plane_.across == 2 && plane_.down == 2 && smooth) {
            sum_rows(y);
            double_columns(sums_.data(), plane_.width, 4, 8, 7, row_.data());
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

// JFIF's conversion with 16 fractional bits, rounded to nearest:
//   R = Y + 1.402 Cr, G = Y - 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb
// (the constants as libjpeg writes them: with a digit more one level of green changes).
struct Rgb {
    Sample red, green, blue;
};
Rgb from_ycc(int y, int cb, int cr) noexcept {
    constexpr int kBits = 16;
    constexpr int kHalf = 1 << (kBits - 1);
    constexpr auto fixed = [](double x) { return static_cast<int>(x * (1 << kBits) + 0.5); };
    constexpr int kRedCr = fixed(1.402);
    constexpr int kGreenCb = fixed(0.34414);
    constexpr int kGreenCr = fixed(0.71414);
    constexpr int kBlueCb = fixed(1.772);
    cb -= 128;
    cr -= 128;
    return {clamp_to_byte(y + ((kRedCr * cr + kHalf) >> kBits)),
            clamp_to_byte(y + ((kHalf - kGreenCb * cb - kGreenCr * cr) >> kBits)),
            clamp_to_byte(y + ((kBlueCb * cb + kHalf) >> kBits))};
}

// What OpenCV makes of inverted CMYK, the form in which every program writes it.
Rgb from_inverted_cmyk(int c, int m, int y, int k) noexcept {
    const auto mixed = [k](int ink) { return static_cast<Sample>(k - ((255 - ink) * k >> 8)); };
    return {mixed(c), mixed(m), mixed(y)};
}

using Rows = std::array<const Sample*, 4>;

Rgb color_of(const Rows& rows, JpegColor color, int x) noexcept {
    const auto at = [&](std::size_t i) { return rows[i][x]; };
    switch (color) {
        case JpegColor::gray: return {at(0), at(0), at(0)};
        case JpegColor::rgb: return {at(0), at(1), at(2)};
        case JpegColor::ycc: return from_ycc(at(0), at(1), at(2));
        case JpegColor::cmyk: return from_inverted_cmyk(at(0), at(1), at(2), at(3));
        case JpegColor::ycck: break;
    }
    const Rgb inks = from_ycc(at(0), at(1), at(2));
    return from_inverted_cmyk(255 - inks.red, 255 - inks.green, 255 - inks.blue, at(3));
}

template <JpegColor color>
void write_row(const Rows& rows, int width, Sample* out) noexcept {
    for (int x = 0; x < width; ++x, out += 3) {
        const Rgb rgb = color_of(rows, color, x);
        out[0] = rgb.red;
        out[1] = rgb.green;
        out[2] = rgb.blue;
    }
}

using WriteRow = void (*)(const Rows&, int, Sample*) noexcept;

WriteRow writer_of(JpegColor color) noexcept {
    switch (color) {
        case JpegColor::gray: return write_row<JpegColor::gray>;
        case JpegColor::rgb: return write_row<JpegColor::rgb>;
        case JpegColor::ycc: return write_row<JpegColor::ycc>;
        case JpegColor::cmyk: return write_row<JpegColor::cmyk>;
        case JpegColor::ycck: break;
    }
    return write_row<JpegColor::ycck>;
}

}  // namespace

void jpeg_to_rgb(const std::vector<JpegPlane>& planes, JpegColor color, int width, int height,
                 std::uint8_t* rgb) {
    std::vector<Upsampler> upsamplers(planes.begin(), planes.end());
    const WriteRow write = writer_of(color);
    for (int y = 0; y < height; ++y, rgb += std::ptrdiff_t{3} * width) {
        Rows rows = {};
        for (std::size_t i = 0; i < planes.size(); ++i) rows[i] = upsamplers[i].row(y);
        write(rows, width, rgb);
    }
}

}  // namespace lprnet
