// Where in the bytes of each format the samples are, and how one pixel is read as the channels of
// a model. The walks over pixels (resize.cpp, rectify.cpp) are templates on the latter.
#pragma once

#include <array>
#include <cstdint>

#include "engine/image/channel_order.h"
#include "engine/image/picture.h"
#include "engine/image/yuv.h"

namespace lprnet {

// Where pixels share chroma: bytes to the first luma, U and V from the beginning of the row, or of
// the plane that has them.
struct SampleOffsets {
    int luma, u, v;
};

constexpr SampleOffsets sample_offsets(PixelFormat format) noexcept {
    switch (format) {
        case PixelFormat::nv12: return {0, 0, 1};
        case PixelFormat::nv21: return {0, 1, 0};
        case PixelFormat::yuyv: return {0, 1, 3};
        case PixelFormat::i420:
        case PixelFormat::bgr:
        case PixelFormat::rgb:
        case PixelFormat::bgra:
        case PixelFormat::rgba:
        case PixelFormat::gray: break;
    }
    return {0, 0, 0};
}

// A layout reads pixel x of a row as kChannels values in the model's order.
// kChannels is 1 where gray goes in, whatever the model reads: equal channels
// are interpolated once and copied at the end (repeat_channel()). kVerbatim:
// the bytes of a row are already those values.

template <int Bytes, int First, int Third>
struct Reordered {
    static constexpr int kChannels = 3;
    static constexpr bool kVerbatim = Bytes == 3 && First == 0;
    static std::array<int, 3> load(const PictureRow& row, int x) noexcept {
        const std::uint8_t* p = row.data + x * Bytes;
        return {p[First], p[1], p[Third]};
    }
};

template <int Bytes, int Blue, int Red>
struct ToGray {
    static constexpr int kChannels = 1;
    static constexpr bool kVerbatim = false;
    static std::array<int, 1> load(const PictureRow& row, int x) noexcept {
        const std::uint8_t* p = row.data + x * Bytes;
        return {luma(p[Blue], p[1], p[Red])};
    }
};

struct Single {
    static constexpr int kChannels = 1;
    static constexpr bool kVerbatim = true;
    static std::array<int, 1> load(const PictureRow& row, int x) noexcept { return {row.data[x]}; }
};

// All formats with shared chroma. A gray model gets the gray of the color, as
// from any other format, not the luma, whose range is another one.
template <ChannelOrder Order>
struct SharedChroma {
    static constexpr int kChannels = channels(Order);
    static constexpr bool kVerbatim = false;
    static std::array<int, kChannels> load(const PictureRow& row, int x) noexcept {
        const std::ptrdiff_t chroma = (x >> 1) * row.chroma_step;
        const Color c = color_of_yuv(row.data[x * row.luma_step], row.u[chroma], row.v[chroma]);
        if constexpr (Order == ChannelOrder::bgr) {
            return {c.blue, c.green, c.red};
        } else if constexpr (Order == ChannelOrder::rgb) {
            return {c.red, c.green, c.blue};
        } else {
            return {luma(c.blue, c.green, c.red)};
        }
    }
};

// `use` called with the layout for the two, which it takes as a template
// argument: use.template operator()<Layout>().
template <class Use>
auto with_layout(PixelFormat format, ChannelOrder order, Use use) noexcept {
    if (format == PixelFormat::gray) return use.template operator()<Single>();
    const int bytes = channels(format);
    if (bytes == 0) {
        switch (order) {
            case ChannelOrder::bgr:
                return use.template operator()<SharedChroma<ChannelOrder::bgr>>();
            case ChannelOrder::rgb:
                return use.template operator()<SharedChroma<ChannelOrder::rgb>>();
            case ChannelOrder::gray: break;
        }
        return use.template operator()<SharedChroma<ChannelOrder::gray>>();
    }
    const bool blue_first = format == PixelFormat::bgr || format == PixelFormat::bgra;
    if (order == ChannelOrder::gray) {
        if (bytes == 4)
            return blue_first ? use.template operator()<ToGray<4, 0, 2>>()
                              : use.template operator()<ToGray<4, 2, 0>>();
        return blue_first ? use.template operator()<ToGray<3, 0, 2>>()
                          : use.template operator()<ToGray<3, 2, 0>>();
    }
    const bool same_order = blue_first == (order == ChannelOrder::bgr);
    if (bytes == 4)
        return same_order ? use.template operator()<Reordered<4, 0, 2>>()
                          : use.template operator()<Reordered<4, 2, 0>>();
    return same_order ? use.template operator()<Reordered<3, 0, 2>>()
                      : use.template operator()<Reordered<3, 2, 0>>();
}

// One channel in the front of a row becomes three equal ones. From the back, no
// value is overwritten before it is read.
inline void repeat_channel(std::uint8_t* row, int width) noexcept {
    for (int x = width - 1; x >= 0; --x) {
        const std::uint8_t value = row[x];
        row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = value;
    }
}

}  // namespace lprnet
