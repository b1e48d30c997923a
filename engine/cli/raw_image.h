// Files of raw pixels: one frame, no header.
#pragma once

#include <string>
#include <utility>

#include "engine/cli/frame_text.h"
#include "lprnet/error.h"
#include "lprnet/image.h"
#include "weights/mapped_file.h"

namespace lprnet::cli {

// Maps a file of exactly one frame.
class RawImage {
public:
    // Errors name the path, the bytes expected and found.
    static Result<RawImage> open(const std::string& path, const RawFormat& format);

    ImageView view() const noexcept;

private:
    RawImage(weights::MappedFile file, const RawFormat& format)
        : file_(std::move(file)), format_(format) {}

    weights::MappedFile file_;
    RawFormat format_;
};

}  // namespace lprnet::cli
