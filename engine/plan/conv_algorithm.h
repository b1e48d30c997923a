// How a convolution may be computed, and which way is expected to be fastest.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_table.h"

namespace lprnet {

// What the speed of a convolution depends on.
struct ConvShape {
    int ic = 0, oc = 0;
    int kh = 1, kw = 1;
    int oh = 0, ow = 0;

    friend auto operator<=>(const ConvShape&, const ConvShape&) = default;
};

// Direct, or Winograd's F(tile, points + 1 - tile) along the axis that has taps.
struct ConvAlgorithm {
    int points = 0;  // 0 is direct
    int tile = 0;

    bool direct() const noexcept { return points == 0; }
    friend bool operator==(const ConvAlgorithm&, const ConvAlgorithm&) = default;
};

// "direct" or "F(6,3)", and back; the latter false if `text` is neither or no kernel exists.
std::string algorithm_text(const ConvAlgorithm& algorithm);
bool parse_algorithm(const std::string& text, ConvAlgorithm& algorithm);

// Every algorithm that computes the shape, direct first. Winograd only where there are at
// least three taps along one axis and none along the other: with fewer it saves nothing.
std::vector<ConvAlgorithm> conv_algorithms(const ConvShape& shape);

// The one of conv_algorithms() that a count of multiplications and transforms favours.
ConvAlgorithm default_algorithm(const ConvShape& shape, const kernels::KernelTable& table);

}  // namespace lprnet
