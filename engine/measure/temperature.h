// The temperature that makes confidences believable.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/measure/progress.h"
#include "lprnet/decoding.h"
#include "lprnet/error.h"
#include "lprnet/model.h"

namespace lprnet::measure {

// Logits of labelled images, one after the other.
struct LabelledLogits {
    std::vector<float> values;  // [image][time][class]
    std::vector<std::string> texts;

    // May throw std::bad_alloc.
    void add(std::span<const float> logits, const std::string& text) {
        values.insert(values.end(), logits.begin(), logits.end());
        texts.push_back(text);
    }
};

struct TemperatureFit {
    double temperature = 1.0;
    // Mean negative log-likelihood of "read right" or "read wrong" under the confidence.
    double loss = 0.0;
    double loss_at_one = 0.0;
};

// The temperature from 0.25 to 4 with the smallest loss when decoding as `options` say. `not_found`
// if there is no image, `mismatch` if the logits are not of so many images of that model; errors as
// from Recognizer::set_decoding().
Result<TemperatureFit> fit_temperature(const Model& model, const LabelledLogits& logits,
                                       const DecodeOptions& options, Progress& progress) noexcept;

}  // namespace lprnet::measure
