#include "engine/run/network.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/run/context_range.h"

namespace lprnet {
namespace {

// The arena is shared, so whatever lay here before has to go.
void zero_border(const Tensor& tensor, float* arena) noexcept {
    if (tensor.border_h == 0 && tensor.border_w == 0) return;
    // Bytes of 0 are 0.0f and a quantized 0.
    const auto bytes = static_cast<std::ptrdiff_t>(tensor.element_bytes);
    const std::ptrdiff_t row = tensor.row() * bytes;
    const std::ptrdiff_t side = static_cast<std::ptrdiff_t>(tensor.border_w) * tensor.c * bytes;
    char* begin = reinterpret_cast<char*>(arena) + tensor.begin;
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

}  // namespace

Network::Network(std::shared_ptr<const Plan> plan)
    : plan_(std::move(plan)), arena_(plan_->arena_size) {
    bind_calls();
    if (plan_->threads > 1) team_ = std::make_unique<Team>(plan_->threads);
}

Result<Network> Network::create(Graph graph, const kernels::KernelTable& table,
                                const PlanOptions& options) {
    Result<Plan> plan = build_plan(std::move(graph), table, options);
    if (!plan) return plan.error();
    return Network(std::make_shared<const Plan>(std::move(*plan)));
}

void Network::replace_plan(std::shared_ptr<const Plan> plan) {
    plan_ = std::move(plan);
    bind_calls();
}

void Network::bind_calls() {
    const kernels::Part whole = {0, plan_->threads};
    calls_.assign(plan_->steps.size() * static_cast<std::size_t>(plan_->threads), {});
    auto bound = calls_.begin();
    for (const Step& step : plan_->steps) {
        for (kernels::Part part = whole; part.index < part.count; ++part.index, ++bound) {
            *bound = step.call;
            bind(*bound, reinterpret_cast<std::byte*>(arena_.data()), part.index);
            if (!narrow(*bound, part, *plan_->table)) *bound = {};
        }
    }
}

std::span<float> Network::input() noexcept {
    return {plan_->input.floats(arena_.data()), plan_->input.size()};
}

std::span<const float> Network::logits() const noexcept {
    return {arena_.data() + plan_->output.origin() / sizeof(float), plan_->output.size()};
}

void Network::run_part(std::size_t step, std::size_t part) noexcept {
    // No call writes into the border, so the other parts need not wait for it.
    if (part == 0) zero_border(plan_->steps[step].output, arena_.data());
    kernels::run(*plan_->table, calls_[step * static_cast<std::size_t>(plan_->threads) + part]);
}

void Network::run_step(std::size_t step) noexcept {
    for (std::size_t part = 0; part < static_cast<std::size_t>(plan_->threads); ++part) {
        run_part(step, part);
    }
}

bool Network::run() noexcept {
    bool in_range = true;
    const auto run_parts = [&](std::size_t thread) noexcept {
        for (std::size_t s = 0; s < plan_->steps.size(); ++s) {
            run_part(s, thread);
            if (team_ != nullptr) team_->barrier();
            // The next step reads this one's output, which so stays where it is.
            const Step& step = plan_->steps[s];
            if (thread == 0 && step.op == Op::concat) {
                in_range = context_in_range(step, arena_.data());
            }
        }
    };
    if (team_ == nullptr) {
        run_parts(0);
    } else {
        team_->run(run_parts);
    }
    // Nobody may take what is left there for an answer.
    if (!in_range) {
        std::fill_n(plan_->output.floats(arena_.data()), plan_->output.size(),
                    std::numeric_limits<float>::quiet_NaN());
    }
    return in_range;
}

}  // namespace lprnet
