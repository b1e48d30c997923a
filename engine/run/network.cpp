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
    // Bytes of 0 are 0.0f and a level of 0.
    const auto bytes = static_cast<std::ptrdiff_t>(tensor.element.bytes);
    const std::ptrdiff_t row = layout->row() * bytes;
    const std::ptrdiff_t side = layout->border_w() * layout->pixel() * bytes;
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
    calls_.clear();
    stages_.clear();
    const Step::Context* before = nullptr;
    for (const Step& step : plan_->steps) {
        Stage stage = {.first = calls_.size(), .look_at = before};
        if (step.border) stage.border = &*step.border;
        const int parts = parts_for(plan_->threads);
        for (int part = 0; part < parts; ++part) {
            kernels::KernelCall call = step.call;
            bind(call, reinterpret_cast<std::byte*>(arena_.data()));
            if (narrow(call, {part, parts}, *plan_->table)) calls_.push_back(call);
        }
        stage.calls = calls_.size() - stage.first;
        stages_.push_back(stage);
        before = step.context ? &*step.context : nullptr;
    }
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
    const StepInfo& from = plan_->info[step];
    const Shape& shape = from.shape;
    const ElementReader reader(from.output, arena_.data());
    const auto plane = static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
    values.assign(plane * static_cast<std::size_t>(shape.c), T{});
    for (const Node::Constant& constant : from.constants) {
        std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(plane) * constant.channel, plane,
                    static_cast<T>(constant.value));
    }
    for (int stored = 0; stored < from.output.shape.c; ++stored) {
        if (from.channel_of(stored) < 0) continue;
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
    const StepInfo& to = plan_->info[step];
    const Shape& shape = to.output.shape;
    const auto plane = static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
    for (int stored = 0; stored < shape.c; ++stored) {
        std::size_t i = plane * static_cast<std::size_t>(to.channel_of(stored));
        for (int y = 0; y < shape.h; ++y) {
            for (int x = 0; x < shape.w; ++x) {
                arena_.data()[float_at(to.output, y, x, stored)] = values[i++];
            }
        }
    }
}

void Network::run_call(const Stage& stage, std::size_t call, int worker) noexcept {
    // No call writes into the border, so the other parts need not wait for it.
    if (call == 0 && stage.border != nullptr) zero_border(*stage.border, arena_.data());
    kernels::run(*plan_->table, calls_[stage.first + call], worker);
}

void Network::run_step(std::size_t step) noexcept {
    const Stage& stage = stages_[step];
    for (std::size_t call = 0; call < stage.calls; ++call) run_call(stage, call, 0);
}

static_assert(kMaxParts + 1 <= Team::kMaxBlocks, "with a look at the range of the context");

bool Network::run() noexcept {
    // The branches of the context are looked at by one thread while the others do the next step,
    // which reads them and leaves them as they are.
    struct Work {
        Network* network;
        bool* in_range;

        int blocks(int stage) const noexcept {
            const Stage& s = network->stages_[static_cast<std::size_t>(stage)];
            return static_cast<int>(s.calls) + (s.look_at != nullptr ? 1 : 0);
        }
        void run(int stage, int block, int thread) const noexcept {
            const Stage& s = network->stages_[static_cast<std::size_t>(stage)];
            const auto call = static_cast<std::size_t>(block);
            if (call < s.calls) {
                network->run_call(s, call, thread);
            } else {
                *in_range = context_in_range(*s.look_at, network->arena_.data());
            }
        }
    };
    bool in_range = true;
    const Work work = {this, &in_range};
    const auto stages = static_cast<int>(stages_.size());
    if (team_ != nullptr) {
        team_->run(stages, work);
    } else {
        for (int stage = 0; stage < stages; ++stage) {
            for (int block = 0; block < work.blocks(stage); ++block) work.run(stage, block, 0);
        }
    }
    const Step& last = plan_->steps.back();
    if (last.context) in_range = context_in_range(*last.context, arena_.data());
    // Nobody may take what is left there for an answer.
    if (!in_range) {
        std::fill_n(arena_.data() + float_at(plan_->output, 0, 0, 0), plan_->output.values(),
                    std::numeric_limits<float>::quiet_NaN());
    }
    return in_range;
}

}  // namespace lprnet
