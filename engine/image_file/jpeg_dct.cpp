#include "engine/image_file/jpeg_dct.h"

#include <algorithm>
#include <cstring>

#include "engine/image_file/jpeg_dct-inl.h"

namespace lprnet {
namespace {

std::int16_t wrapped(int value) noexcept {
    return static_cast<std::int16_t>(value);
}

}  // namespace

void inverse_dct(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                 std::ptrdiff_t stride) noexcept {
    inverse_dct_in<NativeLanes>(block, steps, out, stride);
}

void inverse_dct_of_mean(const JpegBlock& block, const JpegBlock& steps, std::uint8_t* out,
                         std::ptrdiff_t stride) noexcept {
    // Both passes multiply by 1, and the first one is exact.
    const int scaled = wrapped(wrapped(block[0] * steps[0]) * (1 << kKeptBits));
    constexpr int kShift = kKeptBits + 3;
    const int sample = ((scaled + (1 << (kShift - 1))) >> kShift) + 128;
    const auto value = static_cast<std::uint8_t>(std::clamp(sample, 0, 255));
    for (int y = 0; y < 8; ++y, out += stride) std::memset(out, value, 8);
}

}  // namespace lprnet
