// Luma and chroma to color, ITU-R BT.601 in limited range. Nothing here
// touches an image.
#pragma once

#include <cstdint>

namespace lprnet {

struct Color {
    int blue;
    int green;
    int red;
};

// The inverse of BT.601's equations (ITU-R BT.601-7, 2.5.1 to 2.5.4) with luma
// in 16..235 and chroma in 16..240, coefficients to three decimals as they are
// usually given:
//   R = 1.164 (Y - 16) + 1.596 (V - 128)
//   G = 1.164 (Y - 16) - 0.813 (V - 128) - 0.391 (U - 128)
//   B = 1.164 (Y - 16) + 2.018 (U - 128)
// in 20-bit fixed point, coefficients cut, sums rounded half up and clamped to
// 0..255; luma below 16 counts as 16. Equals OpenCV's
// cvtColor(COLOR_YUV2BGR_NV12) on all 2^24 triples (4.10 and 5.0).
// Products and clamped sums are read from tables: a sample takes 20 of the one
// and 12 of the other, and most CPUs begin more loads than products in a cycle.
struct YuvTables {
    static constexpr int kBits = 20;
    // Sums lie in -259..535: blue is 2.018 * -128 at the least and
    // 1.164 * 239 + 2.018 * 127 at the most.
    static constexpr int kLeast = -260;

    // Of each level of Y, with the half that rounds, and of U and V.
    int luma[256];
    struct {
        int blue, green;
    } u[256];
    struct {
        int red, green;
    } v[256];
    // Of the sum `kLeast + index`.
    std::uint8_t level[800];
};

inline constexpr YuvTables kYuvTables = [] {
    constexpr auto fixed = [](double x) { return static_cast<int>(x * (1 << YuvTables::kBits)); };
    YuvTables tables{};
    for (int i = 0; i < 256; ++i) {
        const int above_black = i > 16 ? i - 16 : 0;
        tables.luma[i] = fixed(1.164) * above_black + (1 << (YuvTables::kBits - 1));
        tables.u[i] = {fixed(2.018) * (i - 128), -fixed(0.391) * (i - 128)};
        tables.v[i] = {fixed(1.596) * (i - 128), -fixed(0.813) * (i - 128)};
    }
    for (int i = 0; i < 800; ++i) {
        const int sum = YuvTables::kLeast + i;
        tables.level[i] = static_cast<std::uint8_t>(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
    return tables;
}();

constexpr Color color_of_yuv(std::uint8_t y, std::uint8_t u, std::uint8_t v) noexcept {
    const int luma = kYuvTables.luma[y];
    const auto& from_u = kYuvTables.u[u];
    const auto& from_v = kYuvTables.v[v];
    constexpr auto level = [](int sum) -> int {
        return kYuvTables.level[(sum >> YuvTables::kBits) - YuvTables::kLeast];
    };
    return {level(luma + from_u.blue), level(luma + from_u.green + from_v.green),
            level(luma + from_v.red)};
}

}  // namespace lprnet
