#include "tests/fuzz/check_picture.h"

#include <span>
#include <utility>
#include <vector>

#include "tests/fuzz/target.h"

namespace lprnet::fuzz {
namespace {

constexpr ImageLimits kLimits = {};

Result<DecodedImage> decode(const std::uint8_t* data, std::size_t size) {
    return decode_image(std::as_bytes(std::span(data, size)), kLimits);
}

// Leaves memory behind, of the sizes that a small picture takes, in which every byte is `value`.
void litter(std::uint8_t value) {
    std::vector<std::vector<std::uint8_t>> pieces;
    for (std::size_t size = 64; size <= (1U << 16); size *= 2) {
        for (int i = 0; i < 3; ++i) {
            pieces.emplace_back(size, value);
            pieces.emplace_back(size + size / 2, value);
        }
    }
    // Read once, so that it is not left out.
    std::size_t sum = 0;
    for (const auto& piece : pieces) sum += piece[piece.size() / 2];
    check(sum == pieces.size() * value, "memory does not keep what is written");
}

// FNV-1a. Under valgrind and the memory sanitizer its use below finds bytes that nobody wrote.
std::uint64_t hash_of(const ImageView& view) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto row = static_cast<std::size_t>(row_bytes(view.format, view.width));
    for (int y = 0; y < view.height; ++y) {
        const std::uint8_t* pixels = view.data + y * view.stride;
        for (std::size_t i = 0; i < row; ++i) hash = (hash ^ pixels[i]) * 0x100000001b3U;
    }
    return hash;
}

}  // namespace

std::optional<DecodedImage> check_picture(const std::uint8_t* data, std::size_t size) {
    litter(0x00);
    Result<DecodedImage> image = decode(data, size);
    if (!image) {
        check_error(image.error());
        return std::nullopt;
    }
    ++accepted;
    const ImageView view = image->view();
    check(view.width >= 1 && view.width <= 32768 && view.height >= 1 && view.height <= 32768,
          "a picture of no size or too large a one");
    check(
        row_bytes(view.format, view.width) > 0 && view.stride >= row_bytes(view.format, view.width),
        "rows overlap");
    const std::uint64_t hash = hash_of(view);
    // Two large ones at once would take more memory than decoding is allowed to.
    constexpr std::int64_t kMostBytes = 1 << 20;
    if (view.stride * view.height > kMostBytes) return std::move(*image);
    // A litter of another value finds what depends on memory.
    litter(0xA5);
    const Result<DecodedImage> again = decode(data, size);
    check(again.ok(), "a picture is refused the second time");
    const ImageView other = again->view();
    check(other.width == view.width && other.height == view.height, "another size the second time");
    check(hash_of(other) == hash, "other pixels the second time");
    return std::move(*image);
}

}  // namespace lprnet::fuzz
