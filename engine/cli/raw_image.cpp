#include "engine/cli/raw_image.h"

#include <cstdint>

#include "weights/printable.h"

namespace lprnet::cli {

Result<RawImage> RawImage::open(const std::string& path, const RawFormat& format) {
    Result<weights::MappedFile> file = weights::MappedFile::open(path);
    if (!file) return file.error();
    const std::size_t expected = image_bytes(format.format, format.height, format.stride);
    if (file->bytes().size() != expected) {
        return Error{ErrorCode::malformed, weights::printable(path) + ": expected a frame of " +
                                               std::to_string(expected) + " bytes, found " +
                                               std::to_string(file->bytes().size())};
    }
    return RawImage(std::move(*file), format);
}

ImageView RawImage::view() const noexcept {
    return {reinterpret_cast<const std::uint8_t*>(file_.bytes().data()), format_.width,
            format_.height, format_.stride, format_.format};
}

}  // namespace lprnet::cli
