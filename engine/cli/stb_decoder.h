// The image decoder: stb_image, with JPEG colours as accurate as libjpeg's.
#pragma once

#include <cstdint>
#include <span>

namespace lprnet::cli {

// RGB pixels without gaps, to be freed with free_pixels(), or nullptr and the reason
// in `reason`. The header is read first; a picture of more than max_pixels is refused
// with `too_large` set.
struct DecodeResult {
    std::uint8_t* pixels = nullptr;
    int width = 0;
    int height = 0;
    bool too_large = false;
    bool recognised = false;  // the header made sense
    const char* reason = "";
};
DecodeResult decode_rgb(std::span<const std::byte> file, std::int64_t max_pixels);

void free_pixels(std::uint8_t* pixels) noexcept;

}  // namespace lprnet::cli
