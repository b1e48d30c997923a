// A tensor in the arena: its shape, what its elements are and how they are arranged. Each
// arrangement is a type of its own, so that nobody can ask for the rows or the border of one that
// has none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "engine/model/graph.h"
#include "kernels/kernel_table.h"

namespace lprnet {

enum class ElementType : std::uint8_t {
    f32,
    level,  // q = 0..255 in as many bytes as the table chooses
    sum,    // int32, of levels
};

struct Element {
    ElementType type = ElementType::f32;
    std::size_t bytes = sizeof(float);

    static Element level(const kernels::KernelTable& table) noexcept {
        return {ElementType::level, static_cast<std::size_t>(table.levels.bytes)};
    }
    static Element sum() noexcept { return {ElementType::sum, sizeof(std::int32_t)}; }
};

// Offsets of both layouts count in elements.

// Pixels one after the other, inside a border of zero pixels that the convolutions reading the
// tensor need. Channels are tight, but for a tensor that is part of a concatenation, whose pixels
// lie as far apart as those of the whole.
class NhwcLayout {
public:
    NhwcLayout() = default;
    NhwcLayout(const Shape& shape, int border_h, int border_w) noexcept
        : shape_(shape), border_h_(border_h), border_w_(border_w), pixel_(shape.c) {}
    // A part of a concatenation with so many channels, without a border.
    static NhwcLayout part(const Shape& shape, int channels) noexcept {
        NhwcLayout layout(shape, 0, 0);
        layout.pixel_ = channels;
        return layout;
    }

    int border_h() const noexcept { return border_h_; }  // pixels on each side
    int border_w() const noexcept { return border_w_; }
    // From one pixel to the next, and from one row.
    std::ptrdiff_t pixel() const noexcept { return pixel_; }
    std::ptrdiff_t row() const noexcept {
        return (std::ptrdiff_t{shape_.w} + 2 * border_w_) * pixel_;
    }
    // Of pixel (0, 0).
    std::ptrdiff_t first() const noexcept { return border_h_ * row() + border_w_ * pixel(); }
    // The border counts as pixels below 0 and from the extents on.
    std::ptrdiff_t at(int y, int x, int channel) const noexcept {
        return first() + y * row() + x * pixel() + channel;
    }
    std::size_t elements() const noexcept {
        const std::ptrdiff_t pixels =
            (std::ptrdiff_t{shape_.h} + 2 * border_h_) * (shape_.w + 2 * border_w_);
        return static_cast<std::size_t>(pixels * shape_.c);
    }

private:
    Shape shape_;
    int border_h_ = 0, border_w_ = 0;
    int pixel_ = 0;
};

// Blocks of pixels, in each a row of pixels for each channel; see kernels::Conv2dSparseF32.
class PanelLayout {
public:
    PanelLayout(const Shape& shape, int pixels) noexcept : shape_(shape), pixels_(pixels) {}

    int pixels() const noexcept { return pixels_; }  // of a block
    std::ptrdiff_t at(int y, int x, int channel) const noexcept {
        const int pixel = y * shape_.w + x;
        return (std::ptrdiff_t{pixel / pixels_} * shape_.c + channel) * pixels_ + pixel % pixels_;
    }
    std::size_t elements() const noexcept {
        const int blocks = (shape_.h * shape_.w + pixels_ - 1) / pixels_;
        return static_cast<std::size_t>(std::ptrdiff_t{blocks} * pixels_ * shape_.c);
    }

private:
    Shape shape_;
    int pixels_;
};

struct Tensor {
    Shape shape = {};
    Element element = {};
    std::variant<NhwcLayout, PanelLayout> layout = {};
    std::size_t begin = 0;  // in the arena, in bytes; of the border if there is one

    // Null where the layout is the other one: whoever wants rows says what happens without.
    const NhwcLayout* nhwc() const noexcept { return std::get_if<NhwcLayout>(&layout); }
    const PanelLayout* panels() const noexcept { return std::get_if<PanelLayout>(&layout); }

    bool has_border() const noexcept {
        return nhwc() != nullptr && (nhwc()->border_h() > 0 || nhwc()->border_w() > 0);
    }
    bool has_levels() const noexcept { return element.type == ElementType::level; }
    // Without the border.
    std::size_t values() const noexcept {
        return static_cast<std::size_t>(shape.c) * static_cast<std::size_t>(shape.h) *
               static_cast<std::size_t>(shape.w);
    }
    // With it.
    std::size_t bytes() const noexcept {
        return std::visit([](const auto& l) { return l.elements(); }, layout) * element.bytes;
    }
    // Of one element in the arena.
    std::size_t byte_at(int y, int x, int channel) const noexcept {
        const std::ptrdiff_t at =
            std::visit([&](const auto& l) { return l.at(y, x, channel); }, layout);
        return begin + static_cast<std::size_t>(at) * element.bytes;
    }
};

// What levels stand for: scale * factor[c] * level.
struct LevelScale {
    float scale = 0.0f;
    std::vector<float> factor;  // of each stored channel; empty if they are 1

    double of(int channel) const noexcept {
        const float f = factor.empty() ? 1.0f : factor[static_cast<std::size_t>(channel)];
        return static_cast<double>(scale) * static_cast<double>(f);
    }
};

}  // namespace lprnet
