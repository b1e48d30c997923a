#include "lprnet/recognizer.h"

#include <utility>

#include "engine/boundary.h"
#include "engine/decode/text_decoder.h"
#include "engine/image/preprocess.h"
#include "engine/model/builtin.h"
#include "engine/model/model_data.h"
#include "engine/run/choose_table.h"
#include "engine/run/network.h"
#include "kernels/compiled_folders.h"

namespace lprnet {

struct Recognizer::State {
    static Result<std::unique_ptr<State>> make(const Model& model, std::shared_ptr<const Plan> plan,
                                               TextDecoder decoder);
    // Whether the last infer() stayed within float32.
    Status check_range() const noexcept;

    Model model;
    Network network;
    Preprocessor preprocessor;
    TextDecoder decoder;
    bool in_range = true;  // what the last infer() computed
};

Recognizer::Recognizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recognizer::Recognizer(Recognizer&&) noexcept = default;
Recognizer& Recognizer::operator=(Recognizer&&) noexcept = default;
Recognizer::~Recognizer() = default;

namespace {

Error moved_from() {
    return {ErrorCode::invalid_argument, "recognizer: moved from, it holds nothing"};
}

// A reading that was not finished says nothing, rather than what was read before.
Status read_nothing(Status status, Reading& reading) noexcept {
    reading.text.clear();
    reading.confidence = 0.0f;
    reading.reject_score = 1.0f;
    reading.characters.clear();
    reading.candidates.clear();
    return status;
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
        if constexpr (kernels::kDirectOnly) {
            return Error{ErrorCode::unsupported,
                         "tuning: this build computes every convolution directly"};
        } else {
            const bool named = !options.tuning_name.empty();
            Result<Tuning> tuning =
                parse_tuning(options.tuning, named ? options.tuning_name : "tuning");
            if (!tuning) return tuning.error();
            if (tuning->isa.empty() || tuning->isa == table.name) {
                plan.tuning = std::move(*tuning);
            }
        }
    }
    return plan;
}

}  // namespace

Result<std::unique_ptr<Recognizer::State>> Recognizer::State::make(const Model& model,
                                                                   std::shared_ptr<const Plan> plan,
                                                                   TextDecoder decoder) {
    Result<Preprocessor> preprocessor = Preprocessor::create(model.data().preprocess);
    if (!preprocessor) return preprocessor.error();
    return std::make_unique<Recognizer::State>(Recognizer::State{
        model, Network(std::move(plan)), std::move(*preprocessor), std::move(decoder)});
}

Status Recognizer::State::check_range() const noexcept {
    if (in_range) return {};
    return guarded([&]() -> Status {
        return Error{ErrorCode::unsupported,
                     model.name() + ": the network's numbers leave float32 on this picture"};
    });
}

Result<Recognizer> Recognizer::create(const Model& model,
                                      const RecognizerOptions& options) noexcept {
    return guarded([&]() -> Result<Recognizer> {
        Result<const kernels::KernelTable*> table = table_for(options.isa);
        if (!table) return table.error();
        Result<PlanOptions> how = plan_options(options, **table);
        if (!how) return how.error();
        Result<TextDecoder> decoder = TextDecoder::create(model, options.decoding);
        if (!decoder) return decoder.error();
        Result<Plan> plan = build_plan(model.data().graph, **table, *how);
        if (!plan) return plan.error();
        forget_builtin_pages();  // the plan has its own arrangement of the weights
        auto state =
            State::make(model, std::make_shared<const Plan>(std::move(*plan)), std::move(*decoder));
        if (!state) return state.error();
        return Recognizer(std::move(*state));
    });
}

Result<Recognizer> Recognizer::clone() const noexcept {
    return guarded([&]() -> Result<Recognizer> {
        if (state_ == nullptr) return moved_from();
        auto state = State::make(state_->model, state_->network.shared_plan(), state_->decoder);
        if (!state) return state.error();
        return Recognizer(std::move(*state));
    });
}

Status Recognizer::set_decoding(const DecodeOptions& options) noexcept {
    return guarded([&]() -> Status {
        if (state_ == nullptr) return moved_from();
        Result<TextDecoder> decoder = TextDecoder::create(state_->model, options);
        if (!decoder) return decoder.error();
        state_->decoder = std::move(*decoder);
        return {};
    });
}

Status Recognizer::set_image(const ImageView& image) noexcept {
    return guarded([&]() -> Status {
        if (state_ == nullptr) return moved_from();
        return state_->preprocessor.run(image, input().data());
    });
}

Status Recognizer::set_image(const ImageView& image, const Region& region) noexcept {
    return guarded([&]() -> Status {
        if (state_ == nullptr) return moved_from();
        return state_->preprocessor.run(image, region, input().data());
    });
}

Status Recognizer::set_image(const ImageView& image, const Quad& quad) noexcept {
    return guarded([&]() -> Status {
        if (state_ == nullptr) return moved_from();
        return state_->preprocessor.run(image, quad, input().data());
    });
}

void Recognizer::infer() noexcept {
    if (state_ != nullptr) state_->in_range = state_->network.run();
}

Status Recognizer::decode(Reading& reading) noexcept {
    Status status = guarded([&]() -> Status {
        if (state_ == nullptr) return moved_from();
        if (Status s = state_->check_range(); !s) return s;
        state_->decoder.decode(logits(), reading);
        return {};
    });
    return status ? status : read_nothing(std::move(status), reading);
}

Status Recognizer::read(const ImageView& image, Reading& reading) noexcept {
    if (Status s = set_image(image); !s) return read_nothing(std::move(s), reading);
    infer();
    return decode(reading);
}

Status Recognizer::read(const ImageView& image, const Region& region, Reading& reading) noexcept {
    if (Status s = set_image(image, region); !s) return read_nothing(std::move(s), reading);
    infer();
    return decode(reading);
}

Status Recognizer::read(const ImageView& image, const Quad& quad, Reading& reading) noexcept {
    if (Status s = set_image(image, quad); !s) return read_nothing(std::move(s), reading);
    infer();
    return decode(reading);
}

Result<Reading> Recognizer::read(const ImageView& image) noexcept {
    return guarded([&]() -> Result<Reading> {
        Reading reading;
        if (Status status = read(image, reading); !status) return status.error();
        return reading;
    });
}

std::span<float> Recognizer::input() noexcept {
    return state_ != nullptr ? state_->network.input() : std::span<float>();
}

std::span<const float> Recognizer::logits() const noexcept {
    return state_ != nullptr ? state_->network.logits() : std::span<const float>();
}

Network& Recognizer::network() noexcept {
    return state_->network;
}

const char* Recognizer::isa() const noexcept {
    return state_ != nullptr ? state_->network.plan().table->name : "";
}

int Recognizer::threads() const noexcept {
    return state_ != nullptr ? state_->network.plan().threads : 0;
}

std::size_t Recognizer::arena_bytes() const noexcept {
    return state_ != nullptr ? state_->network.arena_bytes() : 0;
}

std::size_t Recognizer::packed_bytes() const noexcept {
    return state_ != nullptr ? state_->network.plan().packed.bytes() : 0;
}

}  // namespace lprnet
