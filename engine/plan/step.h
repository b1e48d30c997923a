// What runs of a plan, for those who bind it to an arena; tools read StepInfo.
#pragma once

#include <optional>
#include <vector>

#include "engine/plan/tensor.h"
#include "kernels/kernel_call.h"

namespace lprnet {

// One kernel call, and what has to be done around it.
struct Step {
    // The concatenated branches of the context.
    struct Context {
        Tensor output;
        std::vector<int> channels;  // of each branch
    };

    kernels::KernelCall call;        // not bound to an arena
    std::optional<Tensor> border;    // an output with a border, which is zeroed first
    std::optional<Context> context;  // if the step joins it: its range is looked at afterwards
};

}  // namespace lprnet
