// Errors of the readers in this room. They say what is wrong and, where there is one, at which
// byte of the file; open_image() puts the file's name in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet {

inline Error damaged(const std::string& what) {
    return {ErrorCode::malformed, "damaged image (" + what + ")"};
}

inline Error damaged_at(std::size_t byte, const std::string& what) {
    return damaged(what + " at byte " + std::to_string(byte));
}

inline Error not_supported(const std::string& what) {
    return {ErrorCode::unsupported, "unsupported image (" + what + ")"};
}

// Success if decoding a picture of this size in `needed` bytes is within `max_bytes`.
inline Status check_memory(std::uint64_t width, std::uint64_t height, std::uint64_t needed,
                           std::size_t max_bytes) {
    // The sizes of a picture are ints everywhere.
    constexpr std::uint64_t kMostPixels = std::numeric_limits<int>::max() / 4;
    constexpr std::uint64_t kMostSide = kMaxImageSide;
    const bool fits = width <= kMostSide && height <= kMostSide;
    if (fits && width * height <= kMostPixels && needed <= max_bytes) return {};
    const std::string picture =
        "image of " + std::to_string(width) + "x" + std::to_string(height) + " pixels";
    if (width * height > kMostPixels) {
        return Error{ErrorCode::out_of_memory,
                     picture + ", expected at most " + std::to_string(kMostPixels)};
    }
    if (!fits) {
        return Error{ErrorCode::out_of_memory,
                     picture + ", expected at most " + std::to_string(kMostSide) + " a side"};
    }
    constexpr std::uint64_t kMebibyte = 1U << 20;
    return Error{ErrorCode::out_of_memory,
                 picture + " takes " + std::to_string((needed + kMebibyte - 1) / kMebibyte) +
                     " MiB to decode, expected at most " + std::to_string(max_bytes / kMebibyte) +
                     " MiB"};
}

}  // namespace lprnet
