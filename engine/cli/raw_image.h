// Files of raw pixels: one frame, no header.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/frame_text.h"
#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet::cli {

// A file of exactly one frame, in memory: a camera may write the next one over it.
class RawImage {
public:
    // Errors name the path, the bytes expected and found.
    static Result<RawImage> open(const std::string& path, const RawFormat& format);

    ImageView view() const noexcept;

private:
    RawImage(std::vector<std::byte> bytes, const RawFormat& format)
        : bytes_(std::move(bytes)), format_(format) {}

    std::vector<std::byte> bytes_;
    RawFormat format_;
};

}  // namespace lprnet::cli
