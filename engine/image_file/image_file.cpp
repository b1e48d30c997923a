#include "engine/image_file/image_file.h"

#include "engine/boundary.h"
#include "engine/image_file/bmp.h"
#include "engine/image_file/jpeg.h"
#include "engine/image_file/png.h"
#include "engine/text/printable.h"
#include "weights/file_bytes.h"

namespace lprnet {
namespace {

Result<DecodedImage> decode(Bytes file, const ImageLimits& limits) {
    if (is_jpeg(file)) return decode_jpeg(file, limits);
    if (is_png(file)) return decode_png(file, limits);
    if (is_bmp(file)) return decode_bmp(file, limits);
    return Error{ErrorCode::malformed, "not a JPEG, PNG or BMP image"};
}

}  // namespace

Result<DecodedImage> decode_image(std::span<const std::byte> file,
                                  const ImageLimits& limits) noexcept {
    return guarded([&] { return decode(file, limits); });
}

Result<DecodedImage> open_image(const std::string& path, const ImageLimits& limits) noexcept {
    return guarded([&]() -> Result<DecodedImage> {
        const Result<std::vector<std::byte>> file = weights::read_file(path, limits.max_file_bytes);
        if (!file) return file.error();
        Result<DecodedImage> image = decode(file.value(), limits);
        if (image) return image;
        return Error{image.error().code, printable(path) + ": " + image.error().message};
    });
}

}  // namespace lprnet
