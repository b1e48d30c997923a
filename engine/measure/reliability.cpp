#include "engine/measure/reliability.h"

#include <algorithm>
#include <cmath>

namespace lprnet::measure {

void Reliability::add(double confidence, bool correct) noexcept {
    confidence = confidence > 0.0 ? std::min(confidence, 1.0) : 0.0;
    const auto bin = static_cast<std::size_t>(confidence * static_cast<double>(kBins));
    Bin& counted = bins_[std::min(bin, kBins - 1)];
    ++counted.plates;
    counted.correct += correct ? 1 : 0;
    counted.confidence += confidence;
}

double Reliability::expected_error() const noexcept {
    double error = 0.0;
    std::size_t plates = 0;
    for (const Bin& bin : bins_) {
        error += std::abs(bin.confidence - static_cast<double>(bin.correct));
        plates += bin.plates;
    }
    return plates == 0 ? 0.0 : error / static_cast<double>(plates);
}

double Reliability::mean_confidence() const noexcept {
    double sum = 0.0;
    std::size_t plates = 0;
    for (const Bin& bin : bins_) {
        sum += bin.confidence;
        plates += bin.plates;
    }
    return plates == 0 ? 0.0 : sum / static_cast<double>(plates);
}

}  // namespace lprnet::measure
