// PNG files as pixels: the chunks are checked here, stb_image inflates and filters.
#pragma once

#include "engine/image_file/byte_reader.h"
#include "engine/image_file/image_file.h"

namespace lprnet {

// True for the first bytes of a PNG file.
bool is_png(Bytes file) noexcept;

// Errors as decode_image(). Precondition: is_png(file). May throw std::bad_alloc.
Result<DecodedImage> decode_png(Bytes file, const ImageLimits& limits);

}  // namespace lprnet
