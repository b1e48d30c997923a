#include "lprnet/recognizer.h"

#include <algorithm>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

#include "engine/model/builtin.h"
#include "engine/run/recognizer_state.h"

namespace lprnet {

Recognizer::Recognizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recognizer::Recognizer(Recognizer&&) noexcept = default;
Recognizer& Recognizer::operator=(Recognizer&&) noexcept = default;
Recognizer::~Recognizer() = default;

namespace {

constexpr int kMaxThreads = 64;

Error out_of_memory() {
    return {ErrorCode::out_of_memory, "recognizer: out of memory"};
}

Error no_threads(const std::system_error& error) {
    return {
        ErrorCode::out_of_memory,  // or of what else a thread needs: a limit, not a wrong number
        std::string("recognizer: threads cannot be started: ") + error.what()};
}

Result<std::unique_ptr<Recognizer::State>> make_state(const Model& model,
                                                      std::shared_ptr<const Plan> plan,
                                                      TextDecoder decoder) {
    Result<Preprocessor> preprocessor = Preprocessor::create(model.data().preprocess);
    if (!preprocessor) return preprocessor.error();
    kernels::AlignedBuffer arena(plan->arena_size);
    std::unique_ptr<Team> team;
    if (plan->threads > 1) team = std::make_unique<Team>(plan->threads);
    return std::make_unique<Recognizer::State>(
        Recognizer::State{model, std::move(plan), std::move(*preprocessor), std::move(arena),
                          std::move(decoder), std::move(team)});
}

Result<PlanOptions> plan_options(const RecognizerOptions& options,
                                 const kernels::KernelTable& table) {
    if (options.threads < 1 || options.threads > kMaxThreads) {
        return Error{ErrorCode::invalid_argument,
                     "recognizer: expected 1 to " + std::to_string(kMaxThreads) +
                         " threads, found " + std::to_string(options.threads)};
    }
    PlanOptions plan;
    plan.threads = options.threads;
    if (!options.tuning.empty()) {
        Result<Tuning> tuning = parse_tuning(options.tuning, "tuning");
        if (!tuning) return tuning.error();
        if (tuning->isa.empty() || tuning->isa == table.name) plan.tuning = std::move(*tuning);
    }
    return plan;
}

Status check_range(const Recognizer::State& state) noexcept {
    if (state.in_range) return {};
    try {
        return Error{ErrorCode::unsupported,
                     state.model.name() + ": the network's numbers leave float32 on this picture"};
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

}  // namespace

Result<Recognizer> Recognizer::create(const Model& model,
                                      const RecognizerOptions& options) noexcept {
    try {
        Result<const kernels::KernelTable*> table = select_table(options.isa);
        if (!table) return table.error();
        Result<PlanOptions> how = plan_options(options, **table);
        if (!how) return how.error();
        Result<TextDecoder> decoder = TextDecoder::create(model, options.decoding);
        if (!decoder) return decoder.error();
        Result<Plan> plan = build_plan(model.data().graph, **table, *how);
        if (!plan) return plan.error();
        forget_builtin_pages();  // the plan has its own arrangement of the weights
        auto state =
            make_state(model, std::make_shared<const Plan>(std::move(*plan)), std::move(*decoder));
        if (!state) return state.error();
        return Recognizer(std::move(*state));
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    } catch (const std::system_error& error) {
        return no_threads(error);
    }
}

Result<Recognizer> Recognizer::clone() const noexcept {
    try {
        auto state = make_state(state_->model, state_->plan, state_->decoder);
        if (!state) return state.error();
        return Recognizer(std::move(*state));
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    } catch (const std::system_error& error) {
        return no_threads(error);
    }
}

Status Recognizer::set_decoding(const DecodeOptions& options) noexcept {
    try {
        Result<TextDecoder> decoder = TextDecoder::create(state_->model, options);
        if (!decoder) return decoder.error();
        state_->decoder = std::move(*decoder);
        return {};
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    }
}

Status Recognizer::set_image(const ImageView& image) noexcept {
    return state_->preprocessor.run(image, input().data());
}

Status Recognizer::set_image(const ImageView& image, const Region& region) noexcept {
    return state_->preprocessor.run(image, region, input().data());
}

Status Recognizer::set_image(const ImageView& image, const Quad& quad) noexcept {
    return state_->preprocessor.run(image, quad, input().data());
}

void Recognizer::infer() noexcept {
    state_->in_range = run_plan(*state_->plan, state_->arena.data(), state_->team.get());
    if (state_->in_range) return;
    // Nobody may take what is left there for an answer.
    const Tensor& logits = state_->plan->output;
    std::fill_n(logits.floats(state_->arena.data()), logits.size(),
                std::numeric_limits<float>::quiet_NaN());
}

void Recognizer::decode(Reading& reading) noexcept {
    if (!state_->in_range) {
        reading = Reading();
        return;
    }
    state_->decoder.decode(logits(), reading);
}

Status Recognizer::read(const ImageView& image, Reading& reading) noexcept {
    if (Status status = set_image(image); !status) return status;
    infer();
    if (Status status = check_range(*state_); !status) return status;
    decode(reading);
    return {};
}

Status Recognizer::read(const ImageView& image, const Region& region, Reading& reading) noexcept {
    if (Status status = set_image(image, region); !status) return status;
    infer();
    if (Status status = check_range(*state_); !status) return status;
    decode(reading);
    return {};
}

Status Recognizer::read(const ImageView& image, const Quad& quad, Reading& reading) noexcept {
    if (Status status = set_image(image, quad); !status) return status;
    infer();
    if (Status status = check_range(*state_); !status) return status;
    decode(reading);
    return {};
}

Result<Reading> Recognizer::read(const ImageView& image) noexcept {
    Reading reading;
    if (Status status = read(image, reading); !status) return status.error();
    return reading;
}

std::span<float> Recognizer::input() noexcept {
    const Tensor& tensor = state_->plan->input;
    return {tensor.floats(state_->arena.data()), tensor.size()};
}

std::span<const float> Recognizer::logits() const noexcept {
    const Tensor& tensor = state_->plan->output;
    return {tensor.floats(state_->arena.data()), tensor.size()};
}

const char* Recognizer::isa() const noexcept {
    return state_->plan->table->name;
}

int Recognizer::threads() const noexcept {
    return state_->plan->threads;
}

std::size_t Recognizer::arena_bytes() const noexcept {
    return state_->arena.size() * sizeof(float);
}

std::size_t Recognizer::packed_bytes() const noexcept {
    const Plan& plan = *state_->plan;
    return plan.packed.size() * sizeof(float) + plan.lists.size() * sizeof(plan.lists[0]);
}

}  // namespace lprnet
