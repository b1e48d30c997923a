// Floats of 16 bits (IEEE 754 binary16, F16 in files): 11 significant bits, 2^-24 to 65504. Weights
// stored as such take half of the file; every one of them is a float exactly.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lprnet::weights {

struct Float16 {
    std::uint16_t bits = 0;

    // As numbers compare: zeros of either sign are equal. Not for NaN.
    friend constexpr bool operator==(Float16 a, Float16 b) noexcept {
        return a.bits == b.bits || ((a.bits | b.bits) & 0x7FFFU) == 0;
    }
};

// The same number, exactly; infinities and NaN as well. Without a branch, and without subnormal
// floats, which a caller may have told the processor to take for zero.
constexpr float to_float(Float16 half) noexcept {
    // Of the exponents: between the zeros of both types, and between their highest values.
    constexpr std::int32_t kBiases = (127 - 15) << 23;
    constexpr std::int32_t kHighest = (255 - 31) << 23;
    constexpr std::int32_t kOne = 1 << 23;
    constexpr std::int32_t kLeastNormal = kBiases + kOne;  // 2^-14 as a float
    const std::int32_t magnitude = (half.bits & 0x7FFF) << 13;
    // A subnormal number is a fraction of 2^-14: one is put in front of it, and taken away as a
    // number.
    const std::int32_t front = magnitude < kOne ? kOne : 0;
    const std::int32_t taken = magnitude < kOne ? kLeastNormal : 0;
    const std::int32_t beyond = magnitude >= 31 << 23 ? kHighest - kBiases : 0;
    const float value =
        std::bit_cast<float>(magnitude + kBiases + front + beyond) - std::bit_cast<float>(taken);
    const std::uint32_t sign = (half.bits & 0x8000U) << 16;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}

// As many as `floats` has, one behind the other at any address.
void to_floats(const std::byte* halves, std::span<float> floats) noexcept;

// All of them, if each is a Float16 exactly; else nothing. May throw std::bad_alloc.
std::optional<std::vector<Float16>> exact_float16(std::span<const float> values);

}  // namespace lprnet::weights
