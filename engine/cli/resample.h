// Ways to resize that models are trained with, for doctor to try. Reading uses none of them: its
// resize is that of engine/image.
#pragma once

#include <cstdint>
#include <vector>

#include "lprnet/image.h"

namespace lprnet::cli {

// bilinear   as engine/image does it, OpenCV's INTER_LINEAR
// area       mean of the pixels that an output pixel covers, OpenCV's INTER_AREA when shrinking
// nearest    OpenCV's INTER_NEAREST
// cubic      four taps with a = -0.75, OpenCV's INTER_CUBIC
// letterbox  bilinear with the aspect ratio kept, gray borders
enum class Resize { bilinear, area, nearest, cubic, letterbox };

const char* name_of(Resize resize);

// RGB of width x height without gaps; `rgb` is a picture in PixelFormat::rgb.
std::vector<std::uint8_t> resample(const ImageView& rgb, int width, int height, Resize resize);

}  // namespace lprnet::cli
