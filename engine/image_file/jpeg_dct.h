// The inverse discrete cosine transform of JPEG, with the rounding of libjpeg's accurate integer
// transform, so that samples are those of OpenCV.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/image_file/jpeg_markers.h"
#include "engine/image_file/jpeg_scan.h"

namespace lprnet {

// Writes the 8x8 samples of `block` times `steps` (both by rows) to `out`, whose rows are `stride`
// bytes apart.
void inverse_dct(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                 std::ptrdiff_t stride) noexcept;

// The same for a block of which only coefficient 0 is not zero.
void inverse_dct_of_mean(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                         std::ptrdiff_t stride) noexcept;

}  // namespace lprnet
