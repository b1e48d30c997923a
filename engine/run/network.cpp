#include "engine/run/network.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/plan/element_reader.h"
#include "engine/run/context_range.h"

namespace lprnet {
namespace {

// The arena is shared, so whatever lay here before has to go.
void zero_border(const Tensor& tensor, float* arena) noexcept {
    const NhwcLayout* layout = tensor.nhwc();
    if (layout == nullptr || (layout->border_h() == 0 && layout->border_w() == 0)) return;
    // Bytes of 0 are 0.0f and a level of 0.
    const auto bytes = static_cast<std::ptrdiff_t>(tensor.element.bytes);
    const std::ptrdiff_t row = layout->row() * bytes;
    const std::ptrdiff_t side = std::ptrdiff_t{layout->border_w()} * tensor.shape.c * bytes;
    char* begin = reinterpret_cast<char*>(arena) + tensor.begin;
    char* first_row = begin + layout->border_h() * row;
    char* end_row = first_row + tensor.shape.h * row;
    std::fill(begin, first_row, '\0');
    if (side > 0) {
        for (char* r = first_row; r != end_row; r += row) {
            std::fill(r, r + side, '\0');
            std::fill(r + row - side, r + row, '\0');
        }
    }
    std::fill(end_row, end_row + layout->border_h() * row, '\0');
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

// Both are NHWC without a border.
std::span<float> Network::input() noexcept {
    const Tensor& tensor = plan_->input;
    return {arena_.data() + tensor.begin / sizeof(float), tensor.values()};
}

std::span<const float> Network::logits() const noexcept {
    const Tensor& tensor = plan_->output;
    return {arena_.data() + tensor.begin / sizeof(float), tensor.values()};
}

void Network::set_input_planes(std::span<const float> nchw) noexcept {
    const Shape& shape = plan_->input.shape;
    const auto channels = static_cast<std::size_t>(shape.c);
    const std::size_t plane = nchw.size() / channels;
    const std::span<float> nhwc = input();
    for (std::size_t i = 0; i < nchw.size(); ++i) nhwc[i % plane * channels + i / plane] = nchw[i];
}

template <class T>
void Network::read_output(std::size_t step, std::vector<T>& values) const {
    const Step& from = plan_->steps[step];
    const Shape& shape = from.output.shape;
    const ElementReader reader(from.output, arena_.data());
    const auto plane = static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
    values.resize(from.output.values());
    for (int stored = 0; stored < shape.c; ++stored) {
        const double scale = from.levels ? from.levels->of(stored) : 1.0;
        std::size_t i = plane * static_cast<std::size_t>(from.channel_of(stored));
        for (int y = 0; y < shape.h; ++y) {
            for (int x = 0; x < shape.w; ++x) {
                const auto value = static_cast<double>(reader.stored(y, x, stored));
                values[i++] = static_cast<T>(value * scale);
            }
        }
    }
}
template void Network::read_output(std::size_t step, std::vector<float>& values) const;
template void Network::read_output(std::size_t step, std::vector<double>& values) const;

void Network::write_output(std::size_t step, std::span<const float> values) noexcept {
    const Step& to = plan_->steps[step];
    const Shape& shape = to.output.shape;
    const auto plane = static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
    for (int stored = 0; stored < shape.c; ++stored) {
        std::size_t i = plane * static_cast<std::size_t>(to.channel_of(stored));
        for (int y = 0; y < shape.h; ++y) {
            for (int x = 0; x < shape.w; ++x) {
                arena_.data()[to.output.byte_at(y, x, stored) / sizeof(float)] = values[i++];
            }
        }
    }
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
        std::fill_n(arena_.data() + plan_->output.begin / sizeof(float), plan_->output.values(),
                    std::numeric_limits<float>::quiet_NaN());
    }
    return in_range;
}

}  // namespace lprnet
