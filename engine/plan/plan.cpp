// Here because a Step is incomplete in plan.h.
#include "engine/plan/plan.h"

#include "engine/plan/step.h"

namespace lprnet {

Plan::Plan() = default;
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;
Plan::~Plan() = default;

}  // namespace lprnet
