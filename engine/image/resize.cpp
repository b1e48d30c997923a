// The row passes of the resize: conversion, horizontal and vertical interpolation,
// each written once and instantiated per pixel layout.
#include "engine/image/resize.h"

#include <algorithm>
#include <cstring>

#include "engine/image/pixel_layout.h"

namespace lprnet {

// The loops for one source format and one model channel order. They read the
// pixels of a row from number `begin` on.
struct RowPasses {
    using Tap = Resizer::Tap;

    int out_channels;  // kChannels of the layout
    // Converts `width` pixels.
    void (*convert)(const PictureRow& source, int begin, int width, std::uint8_t* out);
    // Interpolates `width` columns of a row; out is in units of 1/128 of a level.
    void (*horizontal)(const PictureRow& source, int begin, const Tap* taps, int width,
                       std::int16_t* out);
};

namespace {

template <class Pixel>
void convert(const PictureRow& source, int begin, int width, std::uint8_t* out) {
    if constexpr (Pixel::kVerbatim) {
        std::memcpy(out, source.data + begin * Pixel::kChannels,
                    static_cast<std::size_t>(width) * Pixel::kChannels);
    } else {
        for (int x = 0; x < width; ++x) {
            const auto pixel = Pixel::load(source, begin + x);
            for (int c = 0; c < Pixel::kChannels; ++c)
                out[x * Pixel::kChannels + c] =
                    static_cast<std::uint8_t>(pixel[static_cast<std::size_t>(c)]);
        }
    }
}

template <class Pixel>
void horizontal(const PictureRow& source, int begin, const RowPasses::Tap* taps, int width,
                std::int16_t* out) {
    for (int x = 0; x < width; ++x) {
        const RowPasses::Tap& tap = taps[x];
        const auto left = Pixel::load(source, begin + tap.first);
        const auto right = Pixel::load(source, begin + tap.second);
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
constexpr RowPasses kPasses{Pixel::kChannels, convert<Pixel>, horizontal<Pixel>};

const RowPasses* choose_passes(PixelFormat format, ChannelOrder order) noexcept {
    return with_layout(format, order, []<class Pixel>() { return &kPasses<Pixel>; });
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

void Resizer::begin(const Picture& picture, const Region& region) noexcept {
    picture_ = picture;
    region_ = region;
    passes_ = choose_passes(picture.format, order_);
    same_size_ = region.width == width_ && region.height == height_;
    if (same_size_) return;
    cached_row_ = {-1, -1};
    prepare_taps();
}

void Resizer::prepare_taps() noexcept {
    if (region_.width != taps_width_) {
        const int last = region_.width - 1;
        for (int x = 0; x < width_; ++x) {
            Position at = locate(x, region_.width, width_);
            if (at.lower < 0) at = {0, 0.0f};
            if (at.lower >= last) at = {last, 0.0f};
            columns_[static_cast<std::size_t>(x)] = {at.lower, std::min(at.lower + 1, last),
                                                     fixed_weight(1.0f - at.fraction),
                                                     fixed_weight(at.fraction)};
        }
        taps_width_ = region_.width;
    }
    if (region_.height != taps_height_) {
        const int last = region_.height - 1;
        for (int y = 0; y < height_; ++y) {
            const Position at = locate(y, region_.height, height_);
            rows_[static_cast<std::size_t>(y)] = {
                std::clamp(at.lower, 0, last), std::clamp(at.lower + 1, 0, last),
                fixed_weight(1.0f - at.fraction), fixed_weight(at.fraction)};
        }
        taps_height_ = region_.height;
    }
}

PictureRow Resizer::source_row(int y) const noexcept {
    return picture_.row(region_.y + y);
}

const std::int16_t* Resizer::resized_row(int y, int keep) noexcept {
    if (cached_row_[0] == y) return cache_[0].data();
    if (cached_row_[1] == y) return cache_[1].data();
    const std::size_t slot = cached_row_[0] == keep ? 1 : 0;
    passes_->horizontal(source_row(y), region_.x, columns_.data(), width_, cache_[slot].data());
    cached_row_[slot] = y;
    return cache_[slot].data();
}

void Resizer::row(int y, std::uint8_t* out) noexcept {
    if (same_size_) {
        passes_->convert(source_row(y), region_.x, width_, out);
    } else {
        const Tap& tap = rows_[static_cast<std::size_t>(y)];
        const std::int16_t* first = resized_row(tap.first, tap.second);
        const std::int16_t* second = resized_row(tap.second, tap.first);
        vertical(first, second, tap.first_weight, tap.second_weight, width_ * passes_->out_channels,
                 out);
    }
    if (passes_->out_channels < channels(order_)) repeat_channel(out, width_);
}

}  // namespace lprnet
