// The row passes of the resize: conversion, horizontal and vertical interpolation,
// each written once and instantiated per pixel layout.
#include "engine/image/resize.h"

#include <algorithm>
#include <cstring>

namespace lprnet {

// The loops for one source format and one model channel order. `out_channels`
// is 1 where gray goes in, whatever the model reads: equal channels are
// interpolated once and copied at the end.
struct RowPasses {
    using Tap = Resizer::Tap;

    int pixel_bytes;
    int out_channels;
    // Converts `width` pixels.
    void (*convert)(const std::uint8_t* source, int width, std::uint8_t* out);
    // Interpolates `width` columns of a row; out is in units of 1/128 of a level.
    void (*horizontal)(const std::uint8_t* source, const Tap* taps, int width, std::int16_t* out);
};

namespace {

// A pixel layout reads the pixel at p as kChannels values in the model's order.

template <int Bytes, int First, int Second, int Third>
struct Reordered {
    static constexpr int kBytes = Bytes;
    static constexpr int kChannels = 3;
    static constexpr bool kVerbatim = Bytes == 3 && First == 0 && Second == 1 && Third == 2;
    static std::array<int, 3> load(const std::uint8_t* p) noexcept {
        return {p[First], p[Second], p[Third]};
    }
};

template <int Bytes, int Blue, int Red>
struct ToGray {
    static constexpr int kBytes = Bytes;
    static constexpr int kChannels = 1;
    static constexpr bool kVerbatim = false;
    static std::array<int, 1> load(const std::uint8_t* p) noexcept {
        return {luma(p[Blue], p[1], p[Red])};
    }
};

struct Single {
    static constexpr int kBytes = 1;
    static constexpr int kChannels = 1;
    static constexpr bool kVerbatim = true;
    static std::array<int, 1> load(const std::uint8_t* p) noexcept { return {p[0]}; }
};

template <class Pixel>
void convert(const std::uint8_t* source, int width, std::uint8_t* out) {
    if constexpr (Pixel::kVerbatim) {
        std::memcpy(out, source, static_cast<std::size_t>(width) * Pixel::kChannels);
    } else {
        for (int x = 0; x < width; ++x) {
            const auto pixel = Pixel::load(source + x * Pixel::kBytes);
            for (int c = 0; c < Pixel::kChannels; ++c)
                out[x * Pixel::kChannels + c] =
                    static_cast<std::uint8_t>(pixel[static_cast<std::size_t>(c)]);
        }
    }
}

template <class Pixel>
void horizontal(const std::uint8_t* source, const RowPasses::Tap* taps, int width,
                std::int16_t* out) {
    for (int x = 0; x < width; ++x) {
        const RowPasses::Tap& tap = taps[x];
        const auto left = Pixel::load(source + tap.first);
        const auto right = Pixel::load(source + tap.second);
        // At most (255 * 2049) >> 4 = 32655, which an int16_t holds: the weights
        // of a tap are rounded apart, so they add up to 2049 at the most.
        for (std::size_t i = 0; i < Pixel::kChannels; ++i)
            out[static_cast<std::size_t>(x) * Pixel::kChannels + i] = static_cast<std::int16_t>(
                (left[i] * tap.first_weight + right[i] * tap.second_weight) >> 4);
    }
}

// Units: h is in 1/128 of a level and the weights in 1/2048, so each product is
// in 1/2^18; >> 16 leaves quarters of a level, which the last shift rounds away.
// The sum is at most 1020 + 2, so the result needs no clamp.
void vertical(const std::int16_t* first, const std::int16_t* second, std::int16_t first_weight,
              std::int16_t second_weight, int count, std::uint8_t* out) {
    for (int i = 0; i < count; ++i)
        out[i] = static_cast<std::uint8_t>(
            (((first[i] * first_weight) >> 16) + ((second[i] * second_weight) >> 16) + 2) >> 2);
}

template <class Pixel>
constexpr RowPasses kPasses{Pixel::kBytes, Pixel::kChannels, convert<Pixel>, horizontal<Pixel>};

const RowPasses* choose_passes(PixelFormat format, ChannelOrder order) noexcept {
    if (format == PixelFormat::gray) return &kPasses<Single>;
    const bool alpha = channels(format) == 4;
    const bool blue_first = format == PixelFormat::bgr || format == PixelFormat::bgra;
    if (order == ChannelOrder::gray) {
        if (alpha) return blue_first ? &kPasses<ToGray<4, 0, 2>> : &kPasses<ToGray<4, 2, 0>>;
        return blue_first ? &kPasses<ToGray<3, 0, 2>> : &kPasses<ToGray<3, 2, 0>>;
    }
    const bool same_order = blue_first == (order == ChannelOrder::bgr);
    if (alpha)
        return same_order ? &kPasses<Reordered<4, 0, 1, 2>> : &kPasses<Reordered<4, 2, 1, 0>>;
    return same_order ? &kPasses<Reordered<3, 0, 1, 2>> : &kPasses<Reordered<3, 2, 1, 0>>;
}

// The lower of the two input samples around an output sample, and how far
// between them it lies, in [0, 1].
struct Position {
    int lower;
    float fraction;
};

Position locate(int output_index, int input_size, int output_size) noexcept {
    const double scale = 1.0 / (static_cast<double>(output_size) / static_cast<double>(input_size));
    // volatile: the product is rounded to double before the subtraction, also
    // where the compiler would fuse the two into one rounding.
    volatile const double product = (output_index + 0.5) * scale;
    const float position = static_cast<float>(product - 0.5);
    int lower = static_cast<int>(position);
    if (static_cast<float>(lower) > position) --lower;
    return {lower, position - static_cast<float>(lower)};
}

// round(fraction * 2^11), ties to even whatever the rounding mode of the thread.
// The product is exact (a power of two), so fusing it changes nothing.
std::int16_t fixed_weight(float fraction) noexcept {
    const float scaled = fraction * 2048.0f;
    int whole = static_cast<int>(scaled);
    const float rest = scaled - static_cast<float>(whole);
    if (rest > 0.5f || (rest == 0.5f && whole % 2 != 0)) ++whole;
    return static_cast<std::int16_t>(whole);
}

}  // namespace

Resizer::Resizer(int width, int height, ChannelOrder order)
    : width_(width),
      height_(height),
      order_(order),
      columns_(static_cast<std::size_t>(width)),
      rows_(static_cast<std::size_t>(height)) {
    for (auto& row : cache_) row.resize(static_cast<std::size_t>(width * channels(order)));
}

void Resizer::begin(const ImageView& image) noexcept {
    image_ = image;
    passes_ = choose_passes(image.format, order_);
    same_size_ = image.width == width_ && image.height == height_;
    if (same_size_) return;
    cached_row_ = {-1, -1};
    prepare_taps();
}

void Resizer::prepare_taps() noexcept {
    const int pixel_bytes = passes_->pixel_bytes;
    if (image_.width != taps_width_ || pixel_bytes != taps_pixel_bytes_) {
        const int last = image_.width - 1;
        for (int x = 0; x < width_; ++x) {
            Position at = locate(x, image_.width, width_);
            if (at.lower < 0) at = {0, 0.0f};
            if (at.lower >= last) at = {last, 0.0f};
            columns_[static_cast<std::size_t>(x)] = {
                at.lower * pixel_bytes, std::min(at.lower + 1, last) * pixel_bytes,
                fixed_weight(1.0f - at.fraction), fixed_weight(at.fraction)};
        }
        taps_width_ = image_.width;
        taps_pixel_bytes_ = pixel_bytes;
    }
    if (image_.height != taps_height_) {
        const int last = image_.height - 1;
        for (int y = 0; y < height_; ++y) {
            const Position at = locate(y, image_.height, height_);
            rows_[static_cast<std::size_t>(y)] = {
                std::clamp(at.lower, 0, last), std::clamp(at.lower + 1, 0, last),
                fixed_weight(1.0f - at.fraction), fixed_weight(at.fraction)};
        }
        taps_height_ = image_.height;
    }
}

const std::uint8_t* Resizer::source_row(int y) const noexcept {
    return image_.data + y * image_.stride;
}

const std::int16_t* Resizer::resized_row(int y, int keep) noexcept {
    if (cached_row_[0] == y) return cache_[0].data();
    if (cached_row_[1] == y) return cache_[1].data();
    const std::size_t slot = cached_row_[0] == keep ? 1 : 0;
    passes_->horizontal(source_row(y), columns_.data(), width_, cache_[slot].data());
    cached_row_[slot] = y;
    return cache_[slot].data();
}

void Resizer::row(int y, std::uint8_t* out) noexcept {
    if (same_size_) {
        passes_->convert(source_row(y), width_, out);
    } else {
        const Tap& tap = rows_[static_cast<std::size_t>(y)];
        const std::int16_t* first = resized_row(tap.first, tap.second);
        const std::int16_t* second = resized_row(tap.second, tap.first);
        vertical(first, second, tap.first_weight, tap.second_weight, width_ * passes_->out_channels,
                 out);
    }
    if (passes_->out_channels < channels(order_)) {
        // One channel fills the front of the row; from the back, no value is
        // overwritten before it is read.
        for (int x = width_ - 1; x >= 0; --x) {
            const std::uint8_t value = out[x];
            out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = value;
        }
    }
}

}  // namespace lprnet
