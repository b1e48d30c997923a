// Picture files as pixels: JPEG, PNG and BMP, with the bytes that OpenCV's imread gives, which
// networks are trained on. A file is hostile until proven otherwise: it is walked and checked
// before memory is taken for it, and a picture is given whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet {

struct ImageLimits {
    // Memory that decoding one picture may take, in bytes, the file itself not counted. A JPEG with
    // chroma at half the width and height takes 4.5 to 6 bytes a pixel, a PNG 6 to 9 (16 bits a
    // channel or interlaced: twice that): 50 megapixels of a phone fit.
    std::size_t max_bytes = std::size_t{240} << 20;
    // Bytes of a file that open_image() reads.
    std::size_t max_file_bytes = std::size_t{128} << 20;
};

// Owns decoded pixels: RGB, 8 bits a channel, no gaps between rows.
class DecodedImage {
public:
    DecodedImage() = default;
    // Precondition: pixels.size() == 3 * width * height.
    DecodedImage(std::vector<std::uint8_t> pixels, int width, int height) noexcept
        : pixels_(std::move(pixels)), width_(width), height_(height) {}

    // Valid as long as this object lives and is not moved from.
    ImageView view() const noexcept {
        return {pixels_.data(), width_, height_, std::ptrdiff_t{3} * width_, PixelFormat::rgb};
    }

private:
    std::vector<std::uint8_t> pixels_;
    int width_ = 0;
    int height_ = 0;
};

// The picture in the bytes of a JPEG, PNG or BMP file. Gray and palette pictures become RGB, alpha
// is dropped, 16-bit channels keep their upper 8 bits, CMYK becomes RGB as OpenCV does it, and a
// picture with an EXIF orientation is turned upright. Errors, without the name of the file:
//   malformed      not one of these formats, damaged, or cut off: every block of a JPEG and every
//                  row of a PNG or BMP has to be in the file
//   unsupported    a form that is not read: arithmetic or lossless coding, 12 bits a sample, ...
//   out_of_memory  more than limits.max_bytes would be needed, or there is no memory
// Thread-safe. Never throws.
Result<DecodedImage> decode_image(std::span<const std::byte> file,
                                  const ImageLimits& limits = {}) noexcept;

// The same for the file at `path`, which is read, not mapped: somebody may be writing it. Errors
// name the path: those of decode_image and of weights::read_file. Thread-safe. Never throws.
Result<DecodedImage> open_image(const std::string& path, const ImageLimits& limits = {}) noexcept;

}  // namespace lprnet
