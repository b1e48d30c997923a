#include "engine/image_file/exif.h"

#include <cstddef>
#include <utility>

namespace lprnet {
namespace {

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::size_t kHeader = 8;
constexpr std::size_t kEntry = 12;

}  // namespace

std::optional<int> exif_orientation(Bytes tiff) noexcept {
    if (tiff.size() < kHeader) return {};
    const bool little = byte_at(tiff, 0) == 'I' && byte_at(tiff, 1) == 'I';
    const bool big = byte_at(tiff, 0) == 'M' && byte_at(tiff, 1) == 'M';
    if (!little && !big) return {};
    const auto number16 = [&](std::size_t at) {
        return little ? little_endian16(tiff, at) : big_endian16(tiff, at);
    };
    constexpr std::uint32_t kTiff = 42;
    const std::size_t directory = little ? little_endian32(tiff, 4) : big_endian32(tiff, 4);
    if (number16(2) != kTiff || directory < kHeader || directory > tiff.size() - 2) return {};
    const std::size_t count = number16(directory);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t entry = directory + 2 + i * kEntry;
        if (entry + kEntry > tiff.size()) return {};
        if (number16(entry) != kOrientationTag) continue;
        // Like OpenCV, whatever type and count the entry has.
        const std::uint32_t value = number16(entry + 8);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return {};
}

std::vector<std::uint8_t> turn_upright(std::vector<std::uint8_t> pixels, int& width, int& height,
                                       int orientation) {
    if (orientation == 1) return pixels;
    // The first pixel of the result and the steps to its neighbours, in pixels of the source.
    const std::ptrdiff_t w = width;
    const std::ptrdiff_t h = height;
    const bool from_right =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool from_bottom =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    std::ptrdiff_t start = (from_bottom ? (h - 1) * w : 0) + (from_right ? w - 1 : 0);
    std::ptrdiff_t right = from_right ? -1 : 1;
    std::ptrdiff_t down = from_bottom ? -w : w;
    if (swaps_sides(orientation)) {
        std::swap(width, height);
        std::swap(right, down);
    }
    std::vector<std::uint8_t> turned(pixels.size());
    std::uint8_t* out = turned.data();
    for (int y = 0; y < height; ++y, start += down) {
        const std::uint8_t* from = pixels.data() + 3 * start;
        for (int x = 0; x < width; ++x, from += 3 * right, out += 3) {
            out[0] = from[0];
            out[1] = from[1];
            out[2] = from[2];
        }
    }
    return turned;
}

}  // namespace lprnet
