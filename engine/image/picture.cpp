#include "engine/image/picture.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "engine/image/pixel_layout.h"
#include "engine/text/listed_names.h"

namespace lprnet {
namespace {

Error invalid(std::string message) {
    return {ErrorCode::invalid_argument, std::move(message)};
}

Status check_side(const char* what, int found) {
    if (found >= 1 && found <= kMaxImageSide) return {};
    return invalid(std::string(what) + ": expected 1.." + std::to_string(kMaxImageSide) +
                   ", found " + std::to_string(found));
}

Status check_stride(const char* what, std::ptrdiff_t stride, std::ptrdiff_t row, int rows) {
    // An even number, so that half a stride and one rounded up to pairs fit as well.
    constexpr std::ptrdiff_t kMost = std::numeric_limits<std::ptrdiff_t>::max() - 1;
    const std::ptrdiff_t limit = std::min(kMaxStride, kMost / rows);
    if (stride < row && stride > -row)
        return invalid(std::string(what) + ": expected at least " + std::to_string(row) +
                       " bytes a row either way, found " + std::to_string(stride));
    if (stride > limit || stride < -limit)
        return invalid(std::string(what) + ": expected at most " + std::to_string(limit) +
                       " bytes either way for " + std::to_string(rows) + " rows, found " +
                       std::to_string(stride));
    return {};
}

// Halves of an odd side are rounded up: the last block is cut.
constexpr int half(int side) {
    return side / 2 + side % 2;
}

// What ImageView promises for a chroma stride of 0.
std::ptrdiff_t default_chroma_stride(const ImageView& image) {
    const std::ptrdiff_t even = image.stride + image.stride % 2;  // away from 0
    return traits_of(image.format).chroma == Chroma::two_planes ? even / 2 : even;
}

Status find_chroma(const ImageView& image, Picture& picture) {
    const bool both = traits_of(image.format).chroma == Chroma::one_plane;
    const std::ptrdiff_t stride =
        image.chroma_stride != 0 ? image.chroma_stride : default_chroma_stride(image);
    const std::ptrdiff_t row = std::ptrdiff_t{half(image.width)} * (both ? 2 : 1);
    if (Status s = check_stride("image chroma stride", stride, row, half(image.height)); !s)
        return s;
    const std::uint8_t* u = image.chroma;
    const std::uint8_t* v = both ? image.chroma : image.chroma_v;
    if (u == nullptr && v == nullptr) {
        if (image.stride < 0 || stride < 0)
            return invalid(
                "image chroma: expected pixels where rows run from the bottom up, found a null "
                "pointer");
        u = image.data + image.height * image.stride;
        v = both ? u : u + half(image.height) * stride;
    }
    if (u == nullptr || v == nullptr)
        return invalid(std::string("image chroma") + (v == nullptr ? "_v" : "") +
                       ": expected pixels or two null pointers, found one");
    const SampleOffsets at = sample_offsets(image.format);
    picture.first = {image.data + at.luma, u + at.u, v + at.v, 1, both ? 2 : 1};
    picture.chroma_stride = stride;
    picture.chroma_row_shift = 1;
    return {};
}

}  // namespace

Result<Picture> check_picture(const ImageView& image) {
    if (image.data == nullptr) return invalid("image data: expected pixels, found a null pointer");
    if (Status s = check_side("image width", image.width); !s) return s.error();
    if (Status s = check_side("image height", image.height); !s) return s.error();
    const std::ptrdiff_t row = row_bytes(image.format, image.width);
    if (row == 0)
        return invalid("image format: expected " + listed_names(kPixelFormats, " or ") +
                       ", found value " + std::to_string(static_cast<int>(image.format)));
    if (Status s = check_stride("image stride", image.stride, row, image.height); !s)
        return s.error();
    Picture picture;
    picture.width = image.width;
    picture.height = image.height;
    picture.format = image.format;
    picture.stride = image.stride;
    picture.first = {image.data, image.data, image.data, 0, 0};
    if (is_planar(image.format)) {
        if (Status s = find_chroma(image, picture); !s) return s.error();
    } else if (traits_of(image.format).chroma == Chroma::in_row) {
        const SampleOffsets at = sample_offsets(image.format);
        picture.first = {image.data + at.luma, image.data + at.u, image.data + at.v, 2, 4};
        picture.chroma_stride = image.stride;
    }
    return picture;
}

Status check_region(const Picture& picture, const Region& region) {
    const auto inside = [](int begin, int extent, int limit) {
        return begin >= 0 && extent > 0 && begin <= limit && extent <= limit - begin;
    };
    if (inside(region.x, region.width, picture.width) &&
        inside(region.y, region.height, picture.height))
        return {};
    return invalid("region " + std::to_string(region.x) + "," + std::to_string(region.y) + "," +
                   std::to_string(region.width) + "," + std::to_string(region.height) +
                   " does not lie inside the image of " + std::to_string(picture.width) + "x" +
                   std::to_string(picture.height) + " pixels");
}

}  // namespace lprnet
