// Accuracy of a model before and after it was made smaller: what prune and quantize print alike.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/measure/score.h"

namespace lprnet::cli {

// Both take two evaluations, before and after.
void print_before_after(const std::string& title,
                        const std::vector<measure::Evaluation>& evaluations);
// Adds the keys "before" and "after".
void add_before_after(nlohmann::ordered_json& json,
                      const std::vector<measure::Evaluation>& evaluations);

}  // namespace lprnet::cli
