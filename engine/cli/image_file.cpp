#include "engine/cli/image_file.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/cli/stb_decoder.h"
#include "weights/mapped_file.h"
#include "weights/printable.h"

namespace lprnet::cli {
namespace {

// A decoded picture of this size takes 192 MiB; a plate crop has a few thousand pixels.
constexpr std::int64_t kMaxPixels = std::int64_t{64} << 20;

// True for a BMP file that ends before its last pixel: the decoder would make up the rest.
// Fields: offset of the pixels at 10, size of the second header at 14, then width and height
// (16 bits each in the 12-byte header of OS/2, else 32), planes and bits per pixel. Every BMP
// that the decoder accepts is uncompressed, its rows padded to four bytes.
bool is_cut_off_bmp(std::span<const std::byte> bytes, int width, int height) {
    constexpr std::size_t kBothHeaders = 54;
    const auto field = [&](std::size_t at, int count) {
        std::uint32_t value = 0;
        for (int i = 0; i < count; ++i) {
            value |= std::to_integer<std::uint32_t>(bytes[at + static_cast<std::size_t>(i)])
                     << (8 * i);
        }
        return value;
    };
    if (bytes.size() < 2 || field(0, 2) != 0x4D42U) return false;  // "BM"
    if (bytes.size() < kBothHeaders) return true;
    const std::uint32_t bits = field(field(14, 4) == 12 ? 24 : 28, 2);
    const std::uint64_t row = (static_cast<std::uint64_t>(width) * bits + 31) / 32 * 4;
    return bytes.size() < field(10, 4) + row * static_cast<std::uint64_t>(height);
}

}  // namespace

void DecodedImage::Free::operator()(std::uint8_t* pixels) const noexcept {
    free_pixels(pixels);
}

Result<DecodedImage> DecodedImage::open(const std::string& path) {
    Result<weights::MappedFile> file = weights::MappedFile::open(path);
    if (!file) return file.error();
    const std::string shown = weights::printable(path);
    const DecodeResult decoded = decode_rgb(file->bytes(), kMaxPixels);
    if (decoded.too_large) {
        return Error{ErrorCode::malformed, shown + ": image of " + std::to_string(decoded.width) +
                                               "x" + std::to_string(decoded.height) +
                                               " pixels, expected at most " +
                                               std::to_string(kMaxPixels) + " pixels"};
    }
    if (decoded.pixels == nullptr) {
        return Error{
            ErrorCode::malformed,
            shown +
                (decoded.recognised ? ": damaged image (" : ": not a JPEG, PNG or BMP image (") +
                decoded.reason + ")"};
    }
    DecodedImage image;
    image.pixels_.reset(decoded.pixels);
    if (is_cut_off_bmp(file->bytes(), decoded.width, decoded.height)) {
        return Error{ErrorCode::malformed,
                     shown + ": damaged image (it ends before its last pixel)"};
    }
    image.width_ = decoded.width;
    image.height_ = decoded.height;
    return image;
}

ImageView DecodedImage::view() const noexcept {
    return {pixels_.get(), width_, height_, std::ptrdiff_t{3} * width_, PixelFormat::rgb};
}

}  // namespace lprnet::cli
