// How far confidences can be believed.
#pragma once

#include <array>
#include <cstddef>

namespace lprnet::measure {

// Readings counted by their confidence, in bins of equal width.
class Reliability {
public:
    static constexpr std::size_t kBins = 15;
    struct Bin {
        std::size_t plates = 0;
        std::size_t correct = 0;
        double confidence = 0.0;  // sum
    };

    // Below 0 and what is no number counts as 0, above 1 as 1.
    void add(double confidence, bool correct) noexcept;
    const std::array<Bin, kBins>& bins() const noexcept { return bins_; }
    // Expected calibration error (Naeini et al. 2015): the mean distance between confidence and
    // share of plates read right, over the bins and weighted by their plates, 0..1. 0 of nothing.
    double expected_error() const noexcept;
    double mean_confidence() const noexcept;

private:
    std::array<Bin, kBins> bins_{};
};

}  // namespace lprnet::measure
