// The only numbers of a run that have to be looked at: engine/model/number_range.h bounds all
// others when a network is loaded.
#pragma once

#include "engine/plan/plan.h"

namespace lprnet {

// Whether the largest value of every branch that `step`, which joins the context, has just written
// is 0 or lies between kLeastContext and kLargestContext. Infinities and NaN lie outside.
bool context_in_range(const Step& step, const float* arena) noexcept;

}  // namespace lprnet
