// Numbers of several bytes in a file whose end is near: nothing is read beyond it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lprnet {

using Bytes = std::span<const std::byte>;

inline std::uint32_t byte_at(Bytes bytes, std::size_t at) noexcept {
    return std::to_integer<std::uint32_t>(bytes[at]);
}

// Preconditions: the bytes of the number are inside.
inline std::uint32_t big_endian16(Bytes bytes, std::size_t at) noexcept {
    return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}
inline std::uint32_t big_endian32(Bytes bytes, std::size_t at) noexcept {
    return big_endian16(bytes, at) << 16 | big_endian16(bytes, at + 2);
}
inline std::uint32_t little_endian16(Bytes bytes, std::size_t at) noexcept {
    return byte_at(bytes, at) | byte_at(bytes, at + 1) << 8;
}
inline std::uint32_t little_endian32(Bytes bytes, std::size_t at) noexcept {
    return little_endian16(bytes, at) | little_endian16(bytes, at + 2) << 16;
}

}  // namespace lprnet
