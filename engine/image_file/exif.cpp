#include "engine/image_file/exif.h"

#include <cstddef>
#include <utility>

namespace lprnet {
namespace {

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kTiff = 42;
constexpr std::size_t kEntry = 12;

// Numbers of a TIFF structure. "II" in front means the lower byte first; OpenCV takes anything else
// for the other order. Past the end there are zeros.
class Tiff {
public:
    explicit Tiff(Bytes bytes) noexcept
        : bytes_(bytes),
          little_(has(0, 2) && byte_at(bytes, 0) == 'I' && byte_at(bytes, 1) == 'I') {}

    bool has(std::size_t at, std::size_t count) const noexcept {
        return at <= bytes_.size() && count <= bytes_.size() - at;
    }
    std::uint32_t number16(std::size_t at) const noexcept {
        if (!has(at, 2)) return 0;
        return little_ ? little_endian16(bytes_, at) : big_endian16(bytes_, at);
    }
    std::uint32_t number32(std::size_t at) const noexcept {
        if (!has(at, 4)) return 0;
        return little_ ? little_endian32(bytes_, at) : big_endian32(bytes_, at);
    }

private:
    Bytes bytes_;
    bool little_ = false;
};

// Bytes that OpenCV reads elsewhere for an entry; 0 if none. Where they are not there, it reads no
// further, and an orientation behind that entry does not count.
std::size_t bytes_elsewhere(std::uint32_t tag, std::size_t count) noexcept {
    constexpr std::size_t kRational = 8;
    constexpr std::size_t kInPlace = 4;
    switch (tag) {
        case 0x010E:  // description
        case 0x010F:  // make
        case 0x0110:  // model
        case 0x0131:  // software
        case 0x0132:  // date and time
        case 0x8298:  // copyright
            return count > kInPlace ? count : 0;
        case 0x011A:  // resolutions
        case 0x011B: return kRational;
        case 0x013E: return 2 * kRational;  // white point
        case 0x0211: return 3 * kRational;  // coefficients of Y, Cb and Cr
        case 0x013F:                        // primary colors
        case 0x0214: return 6 * kRational;  // reference black and white
        default: return 0;
    }
}

}  // namespace

std::optional<int> exif_orientation(Bytes bytes) noexcept {
    const Tiff tiff(bytes);
    const std::size_t directory = tiff.number32(4);
    if (tiff.number16(2) != kTiff) return {};
    const std::size_t count = tiff.number16(directory);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t entry = directory + 2 + i * kEntry;
        const std::uint32_t tag = tiff.number16(entry);
        if (tag == kOrientationTag) {
            // Like OpenCV, whatever type and count the entry has.
            if (!tiff.has(entry + 8, 2)) return {};
            const std::uint32_t value = tiff.number16(entry + 8);
            return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
        }
        const std::size_t elsewhere = bytes_elsewhere(tag, tiff.number32(entry + 4));
        if (elsewhere > 0 && !tiff.has(tiff.number32(entry + 8), elsewhere)) return {};
    }
    return {};
}

std::vector<std::uint8_t> turn_upright(std::vector<std::uint8_t> pixels, int& width, int& height,
                                       int orientation) {
    if (orientation == 1) return pixels;
    // The first pixel of the result and the steps to its neighbors, in pixels of the source.
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
