// JPEG files as pixels: the markers are checked, the scans decoded, the samples made colors.
//
// This is our own decoder because stb_image cannot give what is promised here in any version: it
// reads on where data ends, leaves memory unwritten where scans are missing, and rounds chroma and
// colors differently from OpenCV.
#pragma once

#include "engine/image_file/byte_reader.h"
#include "engine/image_file/image_file.h"

namespace lprnet {

// True for the first bytes of a JPEG file: its start marker and the next one.
bool is_jpeg(Bytes file) noexcept;

// Errors as decode_image(). Precondition: is_jpeg(file). May throw std::bad_alloc.
Result<DecodedImage> decode_jpeg(Bytes file, const ImageLimits& limits);

}  // namespace lprnet
