// The plan of a quantized network: integers from the pixels' levels to the context.
#pragma once

#include "engine/model/graph.h"
#include "engine/plan/plan.h"

namespace lprnet {

// The last pass of build_plan() for such a graph, which the other passes went over. All tables
// compute the same bits, whatever the number of threads. Errors: `unsupported` if a node is left
// that no kernel computes, or if the steps and weights of a layer could overflow 32 bits.
// May throw std::bad_alloc.
Result<Plan> build_quantized_plan(const Graph& graph, const kernels::KernelTable& table,
                                  const PlanOptions& options);

}  // namespace lprnet
