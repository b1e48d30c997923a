#include "engine/run/run.h"

#include <algorithm>

namespace lprnet {
namespace {

// The arena is shared, so whatever lay here before has to go.
void zero_border(const Tensor& tensor, float* arena) noexcept {
    const std::ptrdiff_t row = tensor.row();
    const std::ptrdiff_t side = static_cast<std::ptrdiff_t>(tensor.border_w) * tensor.c;
    float* begin = arena + tensor.begin;
    float* first_row = begin + tensor.border_h * row;
    float* end_row = first_row + tensor.h * row;
    std::fill(begin, first_row, 0.0f);
    if (side > 0) {
        for (float* r = first_row; r != end_row; r += row) {
            std::fill(r, r + side, 0.0f);
            std::fill(r + row - side, r + row, 0.0f);
        }
    }
    std::fill(end_row, end_row + tensor.border_h * row, 0.0f);
}

void run_call(const kernels::KernelTable& table, const KernelCall& call, float* arena) noexcept {
    // Every kind of arguments names its input, output and working memory in its own way.
    struct Runner {
        const kernels::KernelTable& table;
        const float* input;
        float* output;
        float* extra;

        void operator()(kernels::Conv2dF32 a) const noexcept {
            a.input = input;
            a.output = output;
            table.conv2d_f32(a);
        }
        void operator()(kernels::Conv1dWinogradF32 a) const noexcept {
            a.input = input;
            a.output = output;
            a.scratch = extra;
            table.conv1d_winograd_f32(a);
        }
        void operator()(kernels::MaxPool2dF32 a) const noexcept {
            a.input = input;
            a.output = output;
            table.max_pool2d_f32(a);
        }
        void operator()(kernels::ContextTapF32 a) const noexcept {
            a.input = input;
            a.output = output;
            a.squares = extra;
            table.context_tap_f32(a);
        }
        void operator()(kernels::ContextScaleF32 a) const noexcept {
            a.data = output;
            a.squares = extra;
            table.context_scale_f32(a);
        }
    };
    std::visit(Runner{table, arena + call.input, arena + call.output, arena + call.extra},
               call.arguments);
}

void begin_step(const Step& step, float* arena) noexcept {
    if (step.output.border_h > 0 || step.output.border_w > 0) zero_border(step.output, arena);
}

}  // namespace

void run_step(const Plan& plan, const Step& step, float* arena) noexcept {
    begin_step(step, arena);
    for (const KernelCall& call : step.calls) run_call(*plan.table, call, arena);
}

void run_plan(const Plan& plan, float* arena, Team* team) noexcept {
    if (team == nullptr) {
        for (const Step& step : plan.steps) run_step(plan, step, arena);
        return;
    }
    team->run([&](std::size_t thread) noexcept {
        for (const Step& step : plan.steps) {
            // No call writes into the border, so the first thread need not be waited for.
            if (thread == 0) begin_step(step, arena);
            if (thread < step.calls.size()) run_call(*plan.table, step.calls[thread], arena);
            team->barrier();
        }
    });
}

}  // namespace lprnet
