#include "engine/cli/raw_image.h"

#include <cstdint>

#include "engine/text/printable.h"
#include "weights/file_bytes.h"
#include "weights/regular_file.h"

namespace lprnet::cli {

Result<RawImage> RawImage::open(const std::string& path, const RawFormat& format) {
    const std::size_t expected = image_bytes(format.format, format.height, format.stride);
    const auto wrong_size = [&](std::uintmax_t found) {
        return Error{ErrorCode::malformed, printable(path) + ": expected a frame of " +
                                               std::to_string(expected) + " bytes, found " +
                                               std::to_string(found)};
    };
    // Looked at first: a file that is no frame takes no memory.
    const Result<weights::RegularFile> file = weights::RegularFile::open(path);
    if (!file) return file.error();
    if (file.value().size() != expected) return wrong_size(file.value().size());
    Result<std::vector<std::byte>> bytes = weights::read_file(path, expected);
    if (!bytes) return bytes.error();
    if (bytes->size() != expected) return wrong_size(bytes->size());
    return RawImage(std::move(*bytes), format);
}

ImageView RawImage::view() const noexcept {
    return {reinterpret_cast<const std::uint8_t*>(bytes_.data()), format_.width, format_.height,
            format_.stride, format_.format};
}

}  // namespace lprnet::cli
