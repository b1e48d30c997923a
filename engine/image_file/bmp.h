// BMP files as pixels: without compression or with runs (RLE4, RLE8), 1 to 32 bits a pixel.
//
// Our own reader, because stb_image knows no runs, makes up the end of a file that is cut off, and
// takes colors past the palette from memory that nobody wrote.
#pragma once

#include "engine/image_file/byte_reader.h"
#include "engine/image_file/image_file.h"

namespace lprnet {

// True for the first bytes of a BMP file.
bool is_bmp(Bytes file) noexcept;

// Errors as decode_image(). Precondition: is_bmp(file). May throw std::bad_alloc.
Result<DecodedImage> decode_bmp(Bytes file, const ImageLimits& limits);

}  // namespace lprnet
