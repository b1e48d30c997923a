// 8-bit resize and channel conversion in one pass over the taps of the output,
// row by row. Equals, byte for byte, OpenCV's
//
//     cv2.resize(cvtColor(image), (width, height), interpolation=cv2.INTER_LINEAR)
//
// Validation of the picture (picture.h) and the conversion to float live in preprocess.h.
//
// What the bytes are, for an output of width x height (W x H is the input):
//
//   same size       the converted pixels themselves.
//   anything else   bilinear between pixel centers, in fixed point. Along an
//                   axis of n input and m output samples, output i lies at
//                   f = (i + 0.5) * (1 / (m / n)) - 0.5, computed in double and
//                   rounded to float; with k = floor(f) the two samples k and
//                   k + 1 weigh round((1 - (f - k)) * 2^11) and
//                   round((f - k) * 2^11), ties to even.
//                   Horizontally: h = (left * weight + right * weight) >> 4;
//                   where k or k + 1 is outside the row the edge pixel has the
//                   whole weight. Vertically:
//                   (((weight * h0) >> 16) + ((weight * h1) >> 16) + 2) >> 2;
//                   rows outside are the edge row, each half keeping its own
//                   weight and its own rounding.
//
// Halving both sides needs no case of its own, as it has in OpenCV: every weight
// is 2^10 then, and the formula is the mean (a + b + c + d + 2) >> 2.
//
// Color becomes gray before the resize, at the taps (see luma()); gray becomes
// three equal channels after it, which is the same as before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/image/channel_order.h"
#include "engine/image/picture.h"
#include "lprnet/image.h"

namespace lprnet {

struct RowPasses;

// Resizes pictures of any size to one fixed size. All memory is taken by the
// constructor and depends on the output size only. One thread at a time.
class Resizer {
public:
    // width and height in pixels, 1..1024. May throw std::bad_alloc.
    Resizer(int width, int height, ChannelOrder order);

    // Starts on a part of a picture, which must stay alive and unchanged until
    // the last row is read. Pixels outside the region are not read, but for
    // chroma that it shares. Precondition: check_region() has accepted the two.
    void begin(const Picture& picture, const Region& region) noexcept;

    // Writes output row y, width * channels(order) bytes, to out, which must not
    // overlap the picture. Precondition: 0 <= y < height. Any order of y gives
    // the same bytes; ascending order is the fast one.
    void row(int y, std::uint8_t* out) noexcept;

private:
    // Two neighboring samples of an axis, counted from where the region
    // begins, and their 11-bit weights.
    struct Tap {
        std::int32_t first = 0;
        std::int32_t second = 0;
        std::int16_t first_weight = 0;
        std::int16_t second_weight = 0;
    };
    friend struct RowPasses;

    PictureRow source_row(int y) const noexcept;
    // The horizontally resized source row y, from the two-row cache; the other
    // row of the cache stays if it is `keep`.
    const std::int16_t* resized_row(int y, int keep) noexcept;
    void prepare_taps() noexcept;

    int width_;
    int height_;
    ChannelOrder order_;
    Picture picture_;
    Region region_;
    const RowPasses* passes_ = nullptr;
    bool same_size_ = false;

    // Taps are kept between regions of equal size.
    int taps_width_ = 0;
    int taps_height_ = 0;
    std::vector<Tap> columns_;
    std::vector<Tap> rows_;

    std::array<int, 2> cached_row_{-1, -1};
    std::array<std::vector<std::int16_t>, 2> cache_;
};

}  // namespace lprnet
