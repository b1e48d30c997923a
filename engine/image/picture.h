// A picture that was checked, with its planes found: what the walks over pixels
// read from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet {

// Where the bytes of a row begin. `data` is the luma where a format shares chroma between
// pixels: then pixel x has its luma at data[x * luma_step] and its chroma at
// u[x / 2 * chroma_step] and v[x / 2 * chroma_step]; else the last four are of no meaning.
struct PictureRow {
    const std::uint8_t* data;
    const std::uint8_t* u;
    const std::uint8_t* v;
    std::ptrdiff_t luma_step;
    std::ptrdiff_t chroma_step;
};

struct Picture {
    int width = 0;
    int height = 0;
    PixelFormat format = PixelFormat::bgr;
    PictureRow first{};
    std::ptrdiff_t stride = 0;
    std::ptrdiff_t chroma_stride = 0;
    int chroma_row_shift = 0;  // row y has the chroma of row y >> shift

    PictureRow row(int y) const noexcept {
        PictureRow found = first;
        found.data += y * stride;
        const std::ptrdiff_t chroma = (y >> chroma_row_shift) * chroma_stride;
        found.u += chroma;
        found.v += chroma;
        return found;
    }
};

// Errors: invalid_argument if a pointer is null (also one of the two chroma planes of i420, or
// any where the rows run from the bottom up), a side is outside 1..kMaxImageSide, the format is
// unknown, a stride is smaller than a row either way (also for a single row) or larger than
// kMaxStride, or rows times stride exceed what a ptrdiff_t holds.
Result<Picture> check_picture(const ImageView& image);

// Errors: invalid_argument if a side is not positive or the region does not lie inside.
Status check_region(const Picture& picture, const Region& region);

}  // namespace lprnet
