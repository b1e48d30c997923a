// What lprnet quantize says about each layer and about the whole.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/measure/quantization.h"
#include "engine/measure/score.h"
#include "lprnet/model.h"

namespace lprnet::cli {

struct QuantizeReport {
    measure::QuantizationReport quantization;
    std::size_t bytes_before = 0, bytes_after = 0;
    // Before and after, if there were labelled images.
    std::vector<measure::Evaluation> evaluations;
};

// `method` is for people and scripts.
void print_json(const QuantizeReport& report, const Model& model, const std::string& output,
                const std::string& method);
void print_text(const QuantizeReport& report, const std::string& output);

}  // namespace lprnet::cli
