// Ways to resize that models are trained with, for doctor to try. Reading uses none of them: its
// resize is that of engine/image.
#pragma once

#include <cstdint>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet::measure {

// bilinear   as engine/image does it, OpenCV's INTER_LINEAR
// area       mean of the pixels that an output pixel covers, OpenCV's INTER_AREA when shrinking
// nearest    OpenCV's INTER_NEAREST
// cubic      four taps with a = -0.75, OpenCV's INTER_CUBIC
// letterbox  bilinear with the aspect ratio kept, gray borders
enum class Resize { bilinear, area, nearest, cubic, letterbox };

const char* name_of(Resize resize);

// RGB of width x height, both 1 to kMaxInputSide, without gaps. Errors as check_picture(). May
// throw std::bad_alloc.
Result<std::vector<std::uint8_t>> resample(const ImageView& image, int width, int height,
                                           Resize resize);

}  // namespace lprnet::measure
