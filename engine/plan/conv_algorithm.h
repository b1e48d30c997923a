// How a convolution may be computed, and which way is expected to be fastest.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"

namespace lprnet {

// What the speed of a convolution depends on.
struct ConvShape {
    int ic = 0, oc = 0;
    int kh = 1, kw = 1;
    int oh = 0, ow = 0;
    int zero_percent = 0;  // of the weights: a multiple of 5, see rounded_zero_percent()

    friend auto operator<=>(const ConvShape&, const ConvShape&) = default;
};

// Close shares of zeros take the same time: one choice, and one measurement, for all of them.
int rounded_zero_percent(std::size_t zeros, std::size_t weights) noexcept;

// Direct, or direct but for the weights that are zero, or Winograd's
// F(tile, points + 1 - tile) along the axis that has taps.
struct ConvAlgorithm {
    int points = 0;  // of Winograd
    int tile = 0;
    bool sparse = false;

    bool direct() const noexcept { return !winograd() && !sparse; }
    bool winograd() const noexcept { return points > 0; }
    friend bool operator==(const ConvAlgorithm&, const ConvAlgorithm&) = default;
};

// "direct", "sparse" or "F(6,3)", and back; the latter false if `text` is none of them or no
// kernel exists.
std::string algorithm_text(const ConvAlgorithm& algorithm);
bool parse_algorithm(const std::string& text, ConvAlgorithm& algorithm);

// Every algorithm that computes the shape, direct first, then sparse. Winograd only where there
// are at least three taps along one axis and none along the other: with fewer it saves nothing.
std::vector<ConvAlgorithm> conv_algorithms(const ConvShape& shape);

// Whether a sparse convolution reads or writes panels, see kernels::Conv2dSparseF32: it then
// has nothing to transpose on that side.
struct Panels {
    bool input = false, output = false;

    friend bool operator==(const Panels&, const Panels&) = default;
};

// False for what a build without its kernels (LPRNET_DIRECT_ONLY) cannot compute.
bool has_kernel(const kernels::KernelTable& table, const ConvAlgorithm& algorithm) noexcept;

// The expected time, in multiply-adds of the direct convolution: multiplications, transforms
// and changes of layout; infinite where the table has no kernel for it.
double conv_cost(const ConvShape& shape, const ConvAlgorithm& algorithm, const Panels& panels,
                 const kernels::KernelTable& table);

// The one of conv_algorithms() that costs least, without panels.
ConvAlgorithm default_algorithm(const ConvShape& shape, const kernels::KernelTable& table);

}  // namespace lprnet
