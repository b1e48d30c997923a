// How far confidences can be believed, and the temperature that makes them believable.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "lprnet/decoding.h"
#include "lprnet/error.h"
#include "lprnet/model.h"
#include "lprnet/result.h"

namespace lprnet::cli {

// Readings counted by their confidence, in bins of equal width.
class Reliability {
public:
    static constexpr std::size_t kBins = 15;
    struct Bin {
        std::size_t plates = 0;
        std::size_t correct = 0;
        double confidence = 0.0;  // sum
    };

    void add(double confidence, bool correct);
    const std::array<Bin, kBins>& bins() const { return bins_; }
    // Expected calibration error (Naeini et al. 2015): the mean distance between confidence and
    // share of plates read right, over the bins and weighted by their plates, 0..1.
    double expected_error() const;
    double mean_confidence() const;

private:
    std::array<Bin, kBins> bins_{};
};

// Logits of labelled images, one after the other.
struct LabelledLogits {
    std::vector<float> values;
    std::vector<std::string> texts;
};

struct TemperatureFit {
    double temperature = 1.0;
    // Mean negative log-likelihood of "read right" or "read wrong" under the confidence.
    double loss = 0.0;
    double loss_at_one = 0.0;
};

// The temperature from 0.25 to 4 with the smallest loss when decoding as `options` say.
Result<TemperatureFit> fit_temperature(const Model& model, const LabelledLogits& logits,
                                       DecodeOptions options);

}  // namespace lprnet::cli
