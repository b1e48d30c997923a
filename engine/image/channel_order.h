// The channels a model reads, and the weights that make one gray channel of
// three. Nothing here touches an image.
#pragma once

namespace lprnet {

// Channels of the picture the model was trained on, in memory order.
enum class ChannelOrder { bgr, rgb, gray };

// Channels per pixel; 0 for a value outside the enumeration.
constexpr int channels(ChannelOrder order) noexcept {
    switch (order) {
        case ChannelOrder::bgr:
        case ChannelOrder::rgb: return 3;
        case ChannelOrder::gray: return 1;
    }
    return 0;
}

// For people; "?" for a value outside the enumeration.
constexpr const char* name_of(ChannelOrder order) noexcept {
    switch (order) {
        case ChannelOrder::bgr: return "BGR";
        case ChannelOrder::rgb: return "RGB";
        case ChannelOrder::gray: return "GRAY";
    }
    return "?";
}

// ITU-R BT.601 luma, Y = 0.299 R + 0.587 G + 0.114 B, of 8-bit channels in
// 15-bit fixed point, rounded half up. Red and green are rounded to the nearest
// 1/2^15; blue takes what is left of 2^15 (3735, where 3736 would be nearest),
// so white stays white. Equals OpenCV's cvtColor(COLOR_BGR2GRAY) on all 2^24
// colors.
constexpr int luma(int blue, int green, int red) noexcept {
    constexpr int kRed = 9798;
    constexpr int kGreen = 19235;
    constexpr int kBlue = (1 << 15) - kRed - kGreen;
    return (blue * kBlue + green * kGreen + red * kRed + (1 << 14)) >> 15;
}

}  // namespace lprnet
