#include "engine/run/run.h"

#include <algorithm>

#include "engine/run/context_range.h"

namespace lprnet {
namespace {

char* at(float* arena, std::size_t offset) noexcept {
    return reinterpret_cast<char*>(arena) + offset;
}

// The arena is shared, so whatever lay here before has to go.
void zero_border(const Tensor& tensor, float* arena) noexcept {
    // Bytes of 0 are 0.0f and a quantized 0.
    const auto bytes = static_cast<std::ptrdiff_t>(tensor.element_bytes);
    const std::ptrdiff_t row = tensor.row() * bytes;
    const std::ptrdiff_t side = static_cast<std::ptrdiff_t>(tensor.border_w) * tensor.c * bytes;
    char* begin = at(arena, tensor.begin);
    char* first_row = begin + tensor.border_h * row;
    char* end_row = first_row + tensor.h * row;
    std::fill(begin, first_row, '\0');
    if (side > 0) {
        for (char* r = first_row; r != end_row; r += row) {
            std::fill(r, r + side, '\0');
            std::fill(r + row - side, r + row, '\0');
        }
    }
    std::fill(end_row, end_row + tensor.border_h * row, '\0');
}

void run_call(const kernels::KernelTable& table, const KernelCall& call, float* arena) noexcept {
    // Every kind of arguments names its input, output and working memory in its own way.
    struct Runner {
        const kernels::KernelTable& table;
        char* input_bytes;
        char* output_bytes;
        char* extra_bytes;
        const float* input = reinterpret_cast<const float*>(input_bytes);
        float* output = reinterpret_cast<float*>(output_bytes);
        float* extra = reinterpret_cast<float*>(extra_bytes);

        void operator()(kernels::Conv2dF32 a) const noexcept {
            a.input = input;
            a.output = output;
            a.exact ? table.conv2d_f32_exact(a) : table.conv2d_f32(a);
        }
        void operator()(kernels::Conv2dSparseF32 a) const noexcept {
            a.input = input;
            a.output = output;
            a.scratch = extra;
            table.conv2d_sparse_f32(a);
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
        void operator()(kernels::QuantizeF32 a) const noexcept {
            a.input = input;
            a.output = output_bytes;
            table.quantize_f32(a);
        }
        void operator()(kernels::Conv2dS8 a) const noexcept {
            a.input = input_bytes;
            a.output = output_bytes;
            table.conv2d_s8(a);
        }
        void operator()(kernels::Conv2dLevelsF32 a) const noexcept {
            a.input = input_bytes;
            a.output = output_bytes;
            table.conv2d_levels_f32(a);
        }
        void operator()(kernels::MaxPool2dLevels a) const noexcept {
            a.input = input_bytes;
            a.output = output_bytes;
            table.max_pool2d_levels(a);
        }
        void operator()(kernels::ContextTapLevels a) const noexcept {
            a.input = input_bytes;
            a.sums = reinterpret_cast<std::int32_t*>(output_bytes);
            a.squares = reinterpret_cast<std::int64_t*>(extra_bytes);
            table.context_tap_levels(a);
        }
        void operator()(kernels::ContextScaleLevels a) const noexcept {
            a.data = output_bytes;
            a.squares = reinterpret_cast<const std::int64_t*>(extra_bytes);
            table.context_scale_levels(a);
        }
    };
    std::visit(Runner{table, at(arena, call.input), at(arena, call.output), at(arena, call.extra)},
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

bool run_plan(const Plan& plan, float* arena, Team* team) noexcept {
    bool in_range = true;
    if (team == nullptr) {
        for (const Step& step : plan.steps) {
            run_step(plan, step, arena);
            if (step.op == Op::concat) in_range = context_in_range(step, arena);
        }
        return in_range;
    }
    team->run([&](std::size_t thread) noexcept {
        for (const Step& step : plan.steps) {
            // No call writes into the border, so the first thread need not be waited for.
            if (thread == 0) begin_step(step, arena);
            if (thread < step.calls.size()) run_call(*plan.table, step.calls[thread], arena);
            team->barrier();
            // The next step reads this one's output, which so stays where it is.
            if (thread == 0 && step.op == Op::concat) in_range = context_in_range(step, arena);
        }
    });
    return in_range;
}

}  // namespace lprnet
