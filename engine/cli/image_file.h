// JPEG, PNG and BMP files as pixels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet::cli {

// Owns decoded pixels: RGB, 8 bits a channel, no gaps between rows.
class DecodedImage {
public:
    // Errors name the path. Gray and palette pictures become RGB, alpha is dropped,
    // 16-bit channels are cut to 8.
    static Result<DecodedImage> open(const std::string& path);

    ImageView view() const noexcept;

private:
    struct Free {
        void operator()(std::uint8_t* pixels) const noexcept;
    };
    std::unique_ptr<std::uint8_t, Free> pixels_;
    int width_ = 0;
    int height_ = 0;
};

}  // namespace lprnet::cli
