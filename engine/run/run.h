// Walks a plan. Nothing here allocates, locks or knows an instruction set.
#pragma once

#include "engine/plan/plan.h"
#include "engine/run/team.h"

namespace lprnet {

// All calls of one step, one after the other. `arena` holds plan.arena_size floats at 64-byte
// alignment, with the outputs of the earlier steps in place.
void run_step(const Plan& plan, const Step& step, float* arena) noexcept;

// All steps: reads plan.input, leaves the logits in plan.output. With a team of plan.threads
// threads each takes its calls of every step; null runs everything on the calling one.
// False if a branch of the context left the range of context_in_range(): the logits are of no use
// then.
bool run_plan(const Plan& plan, float* arena, Team* team = nullptr) noexcept;

}  // namespace lprnet
