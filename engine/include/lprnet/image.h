// Views of pixels in the caller's memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lprnet {

// Order of the bytes of one pixel, 8 bits a channel. Alpha is ignored.
enum class PixelFormat { bgr, rgb, bgra, rgba, gray };

// Bytes per pixel.
constexpr int channels(PixelFormat format) noexcept {
    switch (format) {
        case PixelFormat::bgr:
        case PixelFormat::rgb: return 3;
        case PixelFormat::bgra:
        case PixelFormat::rgba: return 4;
        case PixelFormat::gray: return 1;
    }
    return 0;
}

// A picture that belongs to the caller; nothing is copied until it is read.
// Row y begins at data + y * stride; stride is in bytes, and a negative one
// describes a bottom-up picture. width and height are in pixels, 1..32768.
struct ImageView {
    const std::uint8_t* data = nullptr;
    int width = 0;
    int height = 0;
    std::ptrdiff_t stride = 0;
    PixelFormat format = PixelFormat::bgr;
};

}  // namespace lprnet
