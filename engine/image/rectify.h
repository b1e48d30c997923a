// A plate seen at an angle becomes an upright picture: perspective
// rectification and channel conversion in one pass over the output. Only the
// pixels around the samples are read and converted. Within one level of
// OpenCV's
//
//     M = cv2.getPerspectiveTransform(quad - 0.5, corners - 0.5)
//     cv2.warpPerspective(cvtColor(image), M, (width, height),
//                         flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
//
// with corners = (0, 0), (width, 0), (width, height), (0, height), in OpenCV 5:
// of 24 million values of 3000 random plates in noise none differs by more.
// OpenCV 4 rounds positions to 1/32 pixel, up to 7 levels on noise.
//
// What the bytes are: the center of output pixel (i, j) is at
// u = (i + 0.5) / width, v = (j + 0.5) / height of the plate, and at
// (x, y) - 0.5 in the picture, with x and y from unit_square_to() (homography.h)
// in double. Positions are moved into the picture, 0..W-1 and 0..H-1, where
// they lie outside (so the pixels of the edge go on beyond it), and rounded to
// 1/2048 pixel, half up. From there all is integer: the four pixels around
// weigh (2048 - p)(2048 - q) and so on with p, q the rests in 1/2048, and the
// sum is rounded, half up. A plate of two rows is two such pictures side by
// side; kTwoRows in rectify.cpp has their places.
//
// Color becomes gray before the interpolation, gray becomes three equal
// channels after it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/image/channel_order.h"
#include "engine/image/homography.h"
#include "engine/image/picture.h"
#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet {

// Errors: invalid_argument if a coordinate is not a number from -65536 to 65536, the corners are
// not those of a convex shape, clockwise in the picture, with more than half a pixel between each
// three of them, or `rows` is neither 1 nor 2.
Status check_quad(const Quad& quad);

// Also: the box around the corners holds no pixel of the picture.
Status check_quad(const Picture& picture, const Quad& quad);

// Rectifies plates to one fixed size. All memory is taken by the constructor.
// One thread at a time.
class Rectifier {
public:
    // width and height in pixels, 1..1024. May throw std::bad_alloc.
    Rectifier(int width, int height, ChannelOrder order);

    // Starts on a plate in a picture, which must stay alive and unchanged until
    // the last row is read. Precondition: check_quad() has accepted the two.
    void begin(const Picture& picture, const Quad& quad) noexcept;

    // Writes output row y, width * channels(order) bytes, to out, which must not
    // overlap the picture. Precondition: 0 <= y < height.
    void row(int y, std::uint8_t* out) noexcept;

private:
    using Sample = void (*)(const Picture& picture, const std::int32_t* xs, const std::int32_t* ys,
                            int count, std::uint8_t* out);

    int width_;
    int height_;
    ChannelOrder order_;
    Picture picture_;
    Homography homography_{};
    Sample sample_ = nullptr;
    // Where each output column lies on a plate of rows_ rows, 0..1.
    int rows_ = 0;
    std::vector<double> us_;
    // Positions in the picture of one output row, in 1/2048 pixel.
    std::vector<std::int32_t> xs_;
    std::vector<std::int32_t> ys_;
};

}  // namespace lprnet
