// Walks a plan. Nothing here allocates, locks or knows an instruction set.
#pragma once

#include "engine/plan/plan.h"

namespace lprnet {

// One kernel call of `plan`. `arena` holds plan.arena_size floats at 64-byte
// alignment, with the outputs of the earlier steps in place.
void run_step(const Plan& plan, const Step& step, float* arena) noexcept;

// All of them: reads plan.input, leaves the logits in plan.output.
void run_plan(const Plan& plan, float* arena) noexcept;

}  // namespace lprnet
