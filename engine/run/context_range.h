// The only numbers of a run that have to be looked at: engine/model/number_range.h bounds all
// others when a network is loaded.
#pragma once

#include "engine/plan/step.h"

namespace lprnet {

// Whether the largest value of every branch of a context that has just been joined is 0 or lies
// between kLeastContext and kLargestContext. Infinities and NaN lie outside.
bool context_in_range(const Step::Context& context, const float* arena) noexcept;

}  // namespace lprnet
