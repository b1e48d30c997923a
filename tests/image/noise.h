// Pictures of reproducible noise for the tests of engine/image.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lprnet::test {

// The formula of scripts/make_resize_golden.py.
inline std::vector<std::uint8_t> noise(std::size_t count, std::uint32_t seed) {
    std::vector<std::uint8_t> bytes(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t v = static_cast<std::uint32_t>(i) * 2654435761u + seed * 2246822519u;
        v = (v ^ (v >> 15)) * 3266489917u;
        v = v ^ (v >> 16);
        bytes[i] = static_cast<std::uint8_t>(v & 255u);
    }
    return bytes;
}

}  // namespace lprnet::test
