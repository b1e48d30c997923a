// Where a layer's activations had better saturate, from how often each value occurs.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace lprnet {

// How far a layer's activations go before they saturate.
enum class ClipMethod {
    max,         // the largest value seen
    percentile,  // 99.99 % of the values
    mse,         // least squares of the rounding and clipping errors
    kl,          // least divergence of the rounded distribution from the real one
    search,      // for each layer that of the above which changes the logits least
};

struct ClipMethodTraits {
    ClipMethod method;
    std::string_view name;
};

// In the order of the enumerators.
inline constexpr ClipMethodTraits kClipMethods[] = {
    {ClipMethod::max, "max"}, {ClipMethod::percentile, "percentile"}, {ClipMethod::mse, "mse"},
    {ClipMethod::kl, "kl"},   {ClipMethod::search, "search"},
};
constexpr std::string_view name_of(ClipMethod method) noexcept {
    return kClipMethods[static_cast<std::size_t>(method)].name;
}

// What a layer's output looks like: counts of equal bins from 0 to the largest value.
struct Histogram {
    static constexpr std::size_t kBins = 4096;

    float largest = 0.0f;
    std::vector<double> counts = std::vector<double>(kBins);

    // `largest`, which must be set, is above 0. Values below 0 count as 0, larger ones as the
    // largest.
    void add(float value);
    // The middle of a bin; 0 for the first, most of which are zeros, exact at any step.
    double center(std::size_t bin) const;
};

// From 0 to this value there are 255 steps; at most `largest`, and more than 0. Not for `search`.
double clip_of(const Histogram& histogram, ClipMethod method);

}  // namespace lprnet
