// A network ready to run: a plan, an arena, and the plan's calls bound to it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/plan/plan.h"
#include "engine/plan/step.h"
#include "engine/run/team.h"
#include "kernels/aligned_buffer.h"

namespace lprnet {

// For one thread at a time; several networks may share a plan. After construction nothing
// allocates, locks or knows an instruction set, unless it says so.
class Network {
public:
    // May throw std::bad_alloc, or std::system_error if the plan's threads cannot start.
    explicit Network(std::shared_ptr<const Plan> plan);
    // With a plan of its own. Errors as those of build_plan(). May throw as above.
    static Result<Network> create(Graph graph, const kernels::KernelTable& table,
                                  const PlanOptions& options = {});

    const Plan& plan() const noexcept LPRNET_LIFETIMEBOUND { return *plan_; }
    const std::shared_ptr<const Plan>& shared_plan() const noexcept { return plan_; }
    const std::vector<StepInfo>& steps() const noexcept LPRNET_LIFETIMEBOUND { return plan_->info; }
    // Another plan with the same tensors in the same places, such as the same graph with other
    // weights; what the arena holds stays. May throw std::bad_alloc.
    void replace_plan(std::shared_ptr<const Plan> plan);

    // NHWC; a run leaves it as it is.
    std::span<float> input() noexcept LPRNET_LIFETIMEBOUND {
        return {arena_.data() + float_at(plan_->input, 0, 0, 0), plan_->input.values()};
    }
    // [time][class] of the last run().
    std::span<const float> logits() const noexcept LPRNET_LIFETIMEBOUND {
        return {arena_.data() + float_at(plan_->output, 0, 0, 0), plan_->output.values()};
    }
    // The input from PyTorch's order, [channel][row][column].
    void set_input_planes(std::span<const float> nchw) noexcept;

    // The output of a step in PyTorch's order as real values, whatever its elements and layout,
    // with the channels that are constant; of a branch of a quantized network's context, whose
    // outputs are sums, those. Constant channels of branches, and of the joined ones, are zeros
    // here. T is float or double. May throw std::bad_alloc.
    template <class T>
    void read_output(std::size_t step, std::vector<T>& values) const;
    // The other way round, of a step whose output has elements of float32. Its border stays as it
    // is.
    void write_output(std::size_t step, std::span<const float> values) noexcept;

    // The stored channels of one pixel of a step's output in NHWC with elements of float32, one
    // after the other, for whoever walks all of them; not for other outputs.
    float* pixel(std::size_t step, int y, int x) noexcept {
        return arena_.data() + float_at(plan_->info[step].output, y, x, 0);
    }

    // Where plan().steps have their outputs.
    float* arena() noexcept { return arena_.data(); }
    const float* arena() const noexcept { return arena_.data(); }
    std::size_t arena_bytes() const noexcept { return arena_.size() * sizeof(float); }

    // All steps, by all threads of the plan. False if a branch of the context left the range of
    // context_in_range(): the logits are NaN then.
    bool run() noexcept;
    // One step on the calling thread, with the outputs of those before it in place.
    void run_step(std::size_t step) noexcept;

private:
    // The calls of a step, and what is left to be looked at of the one before.
    struct Stage {
        std::size_t first = 0;  // in calls_
        std::size_t calls = 0;
        const Tensor* border = nullptr;  // to be zeroed first
        const Step::Context* look_at = nullptr;
    };

    // Where an element of float32 lies in the arena, in floats.
    static std::size_t float_at(const Tensor& tensor, int y, int x, int channel) noexcept {
        return tensor.byte_at(y, x, channel) / sizeof(float);
    }

    void bind_calls();
    void run_call(const Stage& stage, std::size_t call, int worker) noexcept;

    std::shared_ptr<const Plan> plan_;
    kernels::AlignedBuffer arena_;
    std::vector<kernels::KernelCall> calls_;  // the parts of each step, one step after the other
    std::vector<Stage> stages_;               // one for each step
    std::unique_ptr<Team> team_;  // none for one thread; the last member, since it ends first
};

}  // namespace lprnet
