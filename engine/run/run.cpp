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

}  // namespace

void run_step(const Plan& plan, const Step& step, float* arena) noexcept {
    if (step.output.border_h > 0 || step.output.border_w > 0) zero_border(step.output, arena);
    const float* input = arena + step.input_offset;
    float* output = arena + step.output_offset;
    if (const auto* conv = std::get_if<kernels::Conv2dF32>(&step.call)) {
        kernels::Conv2dF32 call = *conv;
        call.input = input;
        call.output = output;
        plan.table->conv2d_f32(call);
    } else if (const auto* pool = std::get_if<kernels::MaxPool2dF32>(&step.call)) {
        kernels::MaxPool2dF32 call = *pool;
        call.input = input;
        call.output = output;
        plan.table->max_pool2d_f32(call);
    } else if (const auto* tap = std::get_if<kernels::ContextTapF32>(&step.call)) {
        kernels::ContextTapF32 call = *tap;
        call.input = input;
        call.output = output;
        plan.table->context_tap_f32(call);
    }
}

void run_plan(const Plan& plan, float* arena) noexcept {
    for (const Step& step : plan.steps) run_step(plan, step, arena);
}

}  // namespace lprnet
