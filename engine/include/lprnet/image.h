// Views of pixels in the caller's memory, and places in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace lprnet {

// Order of the bytes in memory, 8 bits a channel. Alpha is ignored.
//
// The last four are what cameras give: luma for each pixel, and chroma shared by blocks of 2x2
// pixels (nv12, nv21, i420) or pairs in a row (yuyv). They are read as ITU-R BT.601 in limited
// range (luma 16..235, chroma 16..240), every pixel with the chroma of its block; with an odd
// width or height the last block is cut.
//   nv12   luma; then U V U V ...      i420   luma; then U; then V
//   nv21   luma; then V U V U ...      yuyv   Y U Y V for each pair (YUY2)
enum class PixelFormat { bgr, rgb, bgra, rgba, gray, nv12, nv21, i420, yuyv };

// Where the chroma is that pixels share.
enum class Chroma {
    none,        // nowhere: every pixel has bytes of its own
    in_row,      // beside the luma, four bytes for each pair of pixels
    one_plane,   // in a plane after that of the luma, U and V side by side
    two_planes,  // in two, that of U first
};

struct PixelFormatTraits {
    PixelFormat format;
    std::string_view name;
    int bytes;  // of a pixel; 0 where pixels share chroma
    Chroma chroma;
};

// All that is told of a format besides where in its bytes a sample is (engine/image/pixel_layout.h)
// and its number in C (lprnet.h), in the order of the enumerators.
inline constexpr PixelFormatTraits kPixelFormats[] = {
    {PixelFormat::bgr, "bgr", 3, Chroma::none},
    {PixelFormat::rgb, "rgb", 3, Chroma::none},
    {PixelFormat::bgra, "bgra", 4, Chroma::none},
    {PixelFormat::rgba, "rgba", 4, Chroma::none},
    {PixelFormat::gray, "gray", 1, Chroma::none},
    {PixelFormat::nv12, "nv12", 0, Chroma::one_plane},
    {PixelFormat::nv21, "nv21", 0, Chroma::one_plane},
    {PixelFormat::i420, "i420", 0, Chroma::two_planes},
    {PixelFormat::yuyv, "yuyv", 0, Chroma::in_row},
};

// Of a value that is no format: no name, no bytes, no chroma.
constexpr PixelFormatTraits traits_of(PixelFormat format) noexcept {
    const auto i = static_cast<std::size_t>(format);
    return i < std::size(kPixelFormats) ? kPixelFormats[i]
                                        : PixelFormatTraits{format, {}, 0, Chroma::none};
}
static_assert(
    [] {
        for (const PixelFormatTraits& traits : kPixelFormats)
            if (traits_of(traits.format).format != traits.format) return false;
        return true;
    }(),
    "kPixelFormats is in the order of the enumerators");

// Bytes per pixel where every pixel has bytes of its own; 0 where pixels share chroma.
constexpr int channels(PixelFormat format) noexcept {
    return traits_of(format).bytes;
}

// True for the formats that keep their chroma apart from the luma.
constexpr bool is_planar(PixelFormat format) noexcept {
    const Chroma chroma = traits_of(format).chroma;
    return chroma == Chroma::one_plane || chroma == Chroma::two_planes;
}

// Bytes of a row of pixels without a gap; of luma where the format is planar.
constexpr std::ptrdiff_t row_bytes(PixelFormat format, int width) noexcept {
    const PixelFormatTraits traits = traits_of(format);
    if (traits.chroma == Chroma::none) return std::ptrdiff_t{traits.bytes} * width;
    if (traits.chroma == Chroma::in_row) return std::ptrdiff_t{4} * (width / 2 + width % 2);
    return width;
}

// Limit of a picture's sides, in pixels.
inline constexpr int kMaxImageSide = 32768;
// Limit in bytes from row to row, far above any row: what is larger is a mistake, and arithmetic
// on it could leave the address space.
inline constexpr std::ptrdiff_t kMaxStride = std::ptrdiff_t{1} << 30;

// A picture that belongs to the caller; nothing is copied until it is read.
// Row y begins at data + y * stride; stride is in bytes, and a negative one
// describes a bottom-up picture. width and height are in pixels, 1..kMaxImageSide; a stride is at
// most kMaxStride either way.
struct ImageView {
    const std::uint8_t* data = nullptr;
    int width = 0;
    int height = 0;
    std::ptrdiff_t stride = 0;
    PixelFormat format = PixelFormat::bgr;

    // Chroma of the planar formats; the others ignore it. `chroma` is the plane of both channels
    // (nv12, nv21) or of U (i420), `chroma_v` that of V. Null: the planes follow the luma without
    // a gap, as in a file; for that the stride has to be positive.
    const std::uint8_t* chroma = nullptr;
    const std::uint8_t* chroma_v = nullptr;
    // Bytes from one row of chroma to the next. 0: that of the luma rounded up to an even number
    // (nv12, nv21), and half of that (i420).
    std::ptrdiff_t chroma_stride = 0;
};

// Bytes of a whole picture whose planes follow each other without a gap, |stride| bytes a row.
constexpr std::size_t image_bytes(PixelFormat format, int height, std::ptrdiff_t stride) noexcept {
    // Negated as unsigned: the least ptrdiff_t has no positive counterpart.
    const auto row = stride < 0 ? std::size_t{0} - static_cast<std::size_t>(stride)
                                : static_cast<std::size_t>(stride);
    const auto rows = static_cast<std::size_t>(height);
    const std::size_t chroma = is_planar(format) ? (row + row % 2) * (rows / 2 + rows % 2) : 0;
    return row * rows + chroma;
}

// A rectangle of whole pixels: columns x..x+width-1, rows y..y+height-1.
struct Region {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;
};

// In pixels from the upper left corner of the picture: pixel (0, 0) covers 0..1 each way, its
// center is at 0.5.
struct Point {
    float x = 0.0f;
    float y = 0.0f;
};

// Where a plate lies in a picture: the corners of its ground, clockwise as one reads it.
struct Quad {
    Point top_left;
    Point top_right;
    Point bottom_right;
    Point bottom_left;
    // Rows of characters, 1 or 2. Two rows are cut apart and set side by side, the upper one
    // first, at the places that GA 36 gives the characters of plates of one and of two rows.
    int rows = 1;
};

// The corners of a region.
constexpr Quad quad_of(const Region& region, int rows = 1) noexcept {
    const auto left = static_cast<float>(region.x);
    const auto top = static_cast<float>(region.y);
    const float right = left + static_cast<float>(region.width);
    const float bottom = top + static_cast<float>(region.height);
    return {{left, top}, {right, top}, {right, bottom}, {left, bottom}, rows};
}

}  // namespace lprnet
