// The check sum of PNG chunks (ISO 15948, annex D): CRC-32 of ISO 3309, eight bytes at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/image_file/byte_reader.h"

namespace lprnet {

// table[k][b]: the sum of byte b followed by k zero bytes.
inline constexpr auto kCrcTables = [] {
    constexpr std::uint32_t kPolynomial = 0xEDB88320;
    std::array<std::array<std::uint32_t, 256>, 8> table = {};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t sum = b;
        for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
        table[0][b] = sum;
    }
    for (std::size_t b = 0; b < 256; ++b) {
        for (std::size_t k = 1; k < 8; ++k) {
            const std::uint32_t before = table[k - 1][b];
            table[k][b] = (before >> 8) ^ table[0][before & 255];
        }
    }
    return table;
}();

inline std::uint32_t crc32(Bytes bytes) noexcept {
    const auto& t = kCrcTables;
    std::uint32_t sum = 0xFFFFFFFF;
    std::size_t at = 0;
    for (; bytes.size() - at >= 8; at += 8) {
        const std::uint32_t low = sum ^ little_endian32(bytes, at);
        const std::uint32_t high = little_endian32(bytes, at + 4);
        sum = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^
              t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
    }
    for (; at < bytes.size(); ++at) sum = (sum >> 8) ^ t[0][(sum ^ byte_at(bytes, at)) & 255];
    return ~sum;
}

}  // namespace lprnet
