// The plane-to-plane map that takes a rectangle to four corners. Nothing here
// touches an image.
#pragma once

#include "lprnet/image.h"

namespace lprnet {

// The map of the unit square to a quadrilateral,
//   x = (a u + b v + c) / w,  y = (d u + e v + f) / w,  w = g u + h v + 1,
// with (0, 0) at the top left corner, (1, 0) at the top right one and so on:
// P. Heckbert, "Fundamentals of Texture Mapping and Image Warping" (1989),
// section 2.2.3. Every step is one rounded operation in double, which the
// build keeps apart (-ffp-contract=off), so the same corners give the same
// numbers on every CPU. Inside the square of a convex quadrilateral w > 0.
struct Homography {
    double a, b, c, d, e, f, g, h;
};

// Corners are floats; all arithmetic on them is in double.
constexpr double wide(float coordinate) noexcept {
    return static_cast<double>(coordinate);
}

inline Homography unit_square_to(const Quad& quad) noexcept {
    const double x0 = wide(quad.top_left.x), y0 = wide(quad.top_left.y);
    const double x1 = wide(quad.top_right.x), y1 = wide(quad.top_right.y);
    const double x2 = wide(quad.bottom_right.x), y2 = wide(quad.bottom_right.y);
    const double x3 = wide(quad.bottom_left.x), y3 = wide(quad.bottom_left.y);
    const double dx1 = x1 - x2, dx2 = x3 - x2, dx3 = x0 - x1 + x2 - x3;
    const double dy1 = y1 - y2, dy2 = y3 - y2, dy3 = y0 - y1 + y2 - y3;
    const double area = dx1 * dy2 - dx2 * dy1;
    const double g = (dx3 * dy2 - dx2 * dy3) / area;
    const double h = (dx1 * dy3 - dx3 * dy1) / area;
    return {x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h};
}

}  // namespace lprnet
