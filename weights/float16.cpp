#include "weights/float16.h"

#include <cmath>
#include <cstring>

namespace lprnet::weights {
namespace {

// What `value` has beyond the bits of a Float16 is cut off. Its magnitude is below 2^16.
Float16 cut(float value) noexcept {
    constexpr float kLeastNormal = 0x1p-14F;
    const std::uint32_t sign = std::signbit(value) ? 0x8000U : 0U;
    const float magnitude = std::abs(value);
    // Subnormal numbers count in 2^-24.
    const std::uint32_t bits =
        magnitude < kLeastNormal
            ? static_cast<std::uint32_t>(magnitude * 0x1p24F)
            : (std::bit_cast<std::uint32_t>(magnitude) >> 13) - ((127U - 15U) << 10);
    return {static_cast<std::uint16_t>(bits | sign)};
}

}  // namespace

void to_floats(const std::byte* halves, std::span<float> floats) noexcept {
    for (std::size_t i = 0; i < floats.size(); ++i) {
        Float16 half;
        std::memcpy(&half, halves + i * sizeof half, sizeof half);
        floats[i] = to_float(half);
    }
}

std::optional<std::vector<Float16>> exact_float16(std::span<const float> values) {
    constexpr float kTooLarge = 0x1p16F;
    std::vector<Float16> halves;
    halves.reserve(values.size());
    for (const float value : values) {
        if (!(std::abs(value) < kTooLarge)) return std::nullopt;
        halves.push_back(cut(value));
        if (to_float(halves.back()) != value) return std::nullopt;
    }
    return halves;
}

}  // namespace lprnet::weights
