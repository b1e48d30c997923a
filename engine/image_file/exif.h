// The orientation that cameras and phones write into a picture, and turning pixels by it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/image_file/byte_reader.h"

namespace lprnet {

// What tag 0x0112 in the first directory of a TIFF structure says (EXIF 2.32, 4.6.4): 1 to 8, of
// which 1 is upright and stands for values that make no sense, too. Nothing if there is no such
// tag.
std::optional<int> exif_orientation(Bytes tiff) noexcept;

// True where width and height change places.
inline bool swaps_sides(int orientation) noexcept {
    return orientation >= 5;
}

// The picture upright, RGB without gaps; width and height are those of `pixels` and become those of
// the result. May throw std::bad_alloc.
std::vector<std::uint8_t> turn_upright(std::vector<std::uint8_t> pixels, int& width, int& height,
                                       int orientation);

}  // namespace lprnet
