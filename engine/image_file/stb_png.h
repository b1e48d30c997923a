// stb_image, kept to PNG, to memory that is cleared, and to a budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lprnet/error.h"

namespace lprnet {

// RGB pixels of a PNG file of the given size, whose chunks are valid; memory for more than
// `max_bytes` at once is refused. May throw std::bad_alloc.
Result<std::vector<std::uint8_t>> stb_decode_png(const std::vector<std::uint8_t>& file, int width,
                                                 int height, std::size_t max_bytes);

}  // namespace lprnet
