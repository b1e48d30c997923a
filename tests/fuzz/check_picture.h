// What must hold of every picture file, whatever its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/image_file/image_file.h"

namespace lprnet::fuzz {

// Decodes it twice, with other pictures' memory lying about in between: equal pixels or equal
// errors, all of them written. The picture, if it is one.
std::optional<DecodedImage> check_picture(const std::uint8_t* data, std::size_t size);

}  // namespace lprnet::fuzz
