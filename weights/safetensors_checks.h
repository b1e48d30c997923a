// What the reader and the writer of safetensors files must judge alike. Private to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weights/safetensors.h"

namespace lprnet::weights {

// Size of the u64 that every file begins with: the length of the header.
inline constexpr std::size_t kLengthBytes = 8;

// The header key that holds the map of strings and so cannot name a tensor.
inline constexpr std::string_view kMetadataKey = "__metadata__";

// Bytes of a tensor of this shape, or nothing when a dimension is negative or when the product of
// the dimensions that are not zero, times the element size, exceeds the largest int64. Zeros are
// left out of that bound so that whoever multiplies dimensions in another order cannot overflow.
std::optional<std::uint64_t> byte_size(std::span<const std::int64_t> shape, DType dtype) noexcept;

// What is wrong with a tensor's name ("is empty", ...), or nothing. May throw std::bad_alloc.
std::optional<std::string> name_fault(std::string_view name);

// "[64, 3, 3, 3]". May throw std::bad_alloc.
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace lprnet::weights
