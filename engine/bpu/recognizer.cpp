#include "lprnet/bpu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/boundary.h"
#include "engine/bpu/dnn_error.h"
#include "engine/bpu/dnn_model.h"
#include "engine/decode/text_decoder.h"
#include "engine/image/preprocess.h"
#include "engine/model/model_data.h"

namespace lprnet::bpu {

Recognizer::Recognizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recognizer::Recognizer(Recognizer&&) noexcept = default;
Recognizer& Recognizer::operator=(Recognizer&&) noexcept = default;
Recognizer::~Recognizer() = default;

namespace {

static_assert(kMaxInFlight == abi::kMostTasks);

// A reading that was not finished says nothing, rather than what was read before.
Status read_nothing(Status status, Reading& reading) noexcept {
    reading.text.clear();
    reading.confidence = 0.0f;
    reading.reject_score = 1.0f;
    reading.characters.clear();
    reading.candidates.clear();
    return status;
}

Error invalid(const std::string& what) {
    return {ErrorCode::invalid_argument, "bpu recognizer: " + what};
}

Status check_range(const char* what, int value, int most) {
    if (value >= 1 && value <= most) return {};
    return invalid(std::string(what) + ": expected 1 to " + std::to_string(most) + ", found " +
                   std::to_string(value));
}

Error closed() {
    return invalid("closed or moved from, it holds nothing");
}

void note(Status& first, Status next) {
    if (first.ok() && !next.ok()) first = std::move(next);
}

}  // namespace

// --- State ------------------------------------------------------------------------------------

struct Recognizer::State {
    State(Model used, std::shared_ptr<DnnModel> loaded, Preprocessor pixels, TextDecoder text,
          int time_limit_ms);
    ~State();

    // May throw std::bad_alloc.
    static Result<std::unique_ptr<State>> make(const Model& model, std::shared_ptr<DnnModel> dnn,
                                               TextDecoder decoder, int timeout_ms,
                                               std::size_t frames);
    // Takes memory for so many frames. May throw std::bad_alloc.
    Status add_frames(std::size_t count);

    // A picture, by a call of the preprocessor, to the next frame.
    template <class Prepare>
    Status fill(Prepare prepare) noexcept;
    Status start() noexcept;
    Status finish() noexcept;
    Status close() noexcept;

    Model model;
    std::shared_ptr<DnnModel> dnn;
    InputTensor input;
    std::optional<ContextTail> tail;
    Preprocessor preprocessor;
    TextDecoder decoder;
    int timeout_ms;

    // A ring: `on_the_way` frames from `oldest` on. A null one was given up.
    std::vector<std::unique_ptr<InFlight>> frames;
    std::size_t oldest = 0;
    std::size_t on_the_way = 0;

    // What the preprocessor writes, one of them.
    std::vector<float> values;
    std::vector<std::uint8_t> pixels;
    // The branches in their order, [row][step][channel]; none if the .bin gives logits.
    std::vector<std::vector<float>> branches;
    std::vector<float> logits;  // [step][class]

private:
    InFlight& next() noexcept { return *frames[(oldest + on_the_way) % frames.size()]; }
    Status prepare_next();  // may throw std::bad_alloc
    void write_next() noexcept;
    void read_outputs(const InFlight& frame) noexcept;
};

Recognizer::State::State(Model used, std::shared_ptr<DnnModel> loaded, Preprocessor pixels_to_input,
                         TextDecoder text, int time_limit_ms)
    : model(std::move(used)),
      dnn(std::move(loaded)),
      input(dnn->input()),
      preprocessor(std::move(pixels_to_input)),
      decoder(std::move(text)),
      timeout_ms(time_limit_ms) {
    if (dnn->split()) {
        tail = dnn->tail();
        for (const Shape& shape : tail->shapes())
            branches.emplace_back(static_cast<std::size_t>(shape.c) *
                                  static_cast<std::size_t>(shape.h) *
                                  static_cast<std::size_t>(shape.w));
    }
    if (input.takes_pixels()) {
        pixels.resize(preprocessor.output_size());
    } else {
        values.resize(preprocessor.output_size());
    }
    logits.resize(model.charset().size() * static_cast<std::size_t>(model.steps()));
}

Result<std::unique_ptr<Recognizer::State>> Recognizer::State::make(const Model& model,
                                                                   std::shared_ptr<DnnModel> dnn,
                                                                   TextDecoder decoder,
                                                                   int timeout_ms,
                                                                   std::size_t frames) {
    Result<Preprocessor> preprocessor = Preprocessor::create(model.data().preprocess);
    if (!preprocessor) return preprocessor.error();
    auto state = std::make_unique<State>(model, std::move(dnn), std::move(*preprocessor),
                                         std::move(decoder), timeout_ms);
    if (Status s = state->add_frames(frames); !s) return s.error();
    return state;
}

Recognizer::State::~State() {
    (void)close();
}

Status Recognizer::State::add_frames(std::size_t count) {
    frames.reserve(count);
    while (frames.size() < count) {
        Result<std::unique_ptr<InFlight>> frame = dnn->make_frame();
        if (!frame) return frame.error();
        frames.push_back(std::move(*frame));
    }
    return {};
}

// Sees to it that next() has memory.
Status Recognizer::State::prepare_next() {
    if (on_the_way == frames.size())
        return invalid("all " + std::to_string(frames.size()) + " frames are on their way");
    std::unique_ptr<InFlight>& frame = frames[(oldest + on_the_way) % frames.size()];
    if (frame != nullptr) return {};
    Result<std::unique_ptr<InFlight>> made = dnn->make_frame();
    if (!made) return made.error();
    frame = std::move(*made);
    return {};
}

void Recognizer::State::write_next() noexcept {
    InFlight& frame = next();
    std::byte* blocks[2] = {};
    for (std::size_t i = 0; i < frame.input.size(); ++i) blocks[i] = frame.input[i].data();
    if (input.takes_pixels()) {
        input.write_pixels(pixels.data(), blocks);
    } else {
        input.write_values(values.data(), blocks);
    }
}

template <class Prepare>
Status Recognizer::State::fill(Prepare prepare) noexcept {
    return guarded([&]() -> Status {
        if (dnn == nullptr) return closed();
        if (Status s = prepare_next(); !s) return s;
        if (Status s = prepare(); !s) return s;
        write_next();
        return {};
    });
}

Status Recognizer::State::start() noexcept {
    return guarded([&]() -> Status {
        if (dnn == nullptr) return closed();
        if (Status s = prepare_next(); !s) return s;
        InFlight& frame = next();
        for (DeviceMemory& block : frame.input)
            if (Status s = block.clean(); !s) return s;
        const abi::Functions& call = dnn->library().call();
        frame.task = nullptr;  // not a part of another task
        const std::int32_t code = call.infer(&frame.task, &frame.outputs, &frame.input_tensor,
                                             dnn->handle(), &frame.control);
        if (code == 0 && frame.task != nullptr) {
            ++on_the_way;
            return {};
        }
        // A refusal with a task: that has to go, too, and may be at work in the frame's memory.
        if (frame.task != nullptr) {
            (void)call.release_task(std::exchange(frame.task, nullptr));
            dnn->keep(std::move(frames[(oldest + on_the_way) % frames.size()]));
        }
        if (code == 0)
            return Error{ErrorCode::device_failed, dnn->path() + ": hbDNNInfer returned no task"};
        return call_error(dnn->path(), "hbDNNInfer", code);
    });
}

void Recognizer::State::read_outputs(const InFlight& frame) noexcept {
    const std::vector<OutputTensor>& outputs = dnn->outputs();
    if (!tail) {
        outputs.front().layout.read(frame.output.front().data(), logits.data());
        return;
    }
    for (std::size_t i = 0; i < outputs.size(); ++i)
        outputs[i].layout.read(frame.output[i].data(), branches[outputs[i].branch].data());
    tail->run(branches, logits.data());
}

Status Recognizer::State::finish() noexcept {
    return guarded([&]() -> Status {
        if (dnn == nullptr) return closed();
        if (on_the_way == 0) return invalid("no frame is on its way");
        std::unique_ptr<InFlight>& frame = frames[oldest];
        oldest = (oldest + 1) % frames.size();
        --on_the_way;

        // Nothing is allocated before the frame and its task are where they belong.
        const abi::Functions& call = dnn->library().call();
        const std::int32_t waited = call.wait_task_done(frame->task, timeout_ms);
        const std::int32_t released = call.release_task(std::exchange(frame->task, nullptr));
        // Unless the task has ended nobody knows whether the BPU is through with its memory.
        if (waited != 0 && waited != abi::kRunTaskFailed) dnn->keep(std::move(frame));
        if (waited != 0) {
            Error error = call_error(dnn->path(), "hbDNNWaitTaskDone", waited);
            if (error.code == ErrorCode::timed_out)
                error.message += " after " + std::to_string(timeout_ms) + " ms";
            return error;
        }
        if (released != 0) return call_error(dnn->path(), "hbDNNReleaseTask", released);

        for (DeviceMemory& block : frame->output)
            if (Status s = block.invalidate(); !s) return s;
        read_outputs(*frame);
        return {};
    });
}

Status Recognizer::State::close() noexcept {
    if (dnn == nullptr) return {};
    Status first;
    while (on_the_way > 0) note(first, finish());
    for (const std::unique_ptr<InFlight>& frame : frames)
        if (frame != nullptr) note(first, frame->release());
    frames.clear();
    if (dnn.use_count() == 1) note(first, dnn->close());
    dnn.reset();
    return first;
}

// --- Recognizer -------------------------------------------------------------------------------

Result<Recognizer> Recognizer::create(const Model& model, const std::string& bin,
                                      const RecognizerOptions& options) noexcept {
    return guarded([&]() -> Result<Recognizer> {
        if (Status s = check_range("in_flight", options.in_flight, kMaxInFlight); !s)
            return s.error();
        if (Status s = check_range("timeout_ms", options.timeout_ms, kMaxTimeoutMs); !s)
            return s.error();
        if (options.nv12_range != Nv12Range::video && options.nv12_range != Nv12Range::full)
            return invalid("nv12_range: expected video or full, found value " +
                           std::to_string(static_cast<int>(options.nv12_range)));
        for (const Node& node : model.data().graph.nodes) {
            if (node.op != Op::affine_sample) continue;
            return Error{
                ErrorCode::unsupported,
                model.name() +
                    ": has a spatial transformer, which the BPU's recognizer has not: read "
                    "with the CPU"};
        }
        Result<TextDecoder> decoder = TextDecoder::create(model, options.decoding);
        if (!decoder) return decoder.error();
        Result<std::shared_ptr<const DnnLibrary>> library = DnnLibrary::open(options.library);
        if (!library) return library.error();
        Result<std::shared_ptr<DnnModel>> dnn =
            DnnModel::load(std::move(*library), bin, model, options.nv12_range);
        if (!dnn) return dnn.error();
        auto state = State::make(model, std::move(*dnn), std::move(*decoder), options.timeout_ms,
                                 static_cast<std::size_t>(options.in_flight));
        if (!state) return state.error();
        return Recognizer(std::move(*state));
    });
}

Result<Recognizer> Recognizer::clone() const noexcept {
    return guarded([&]() -> Result<Recognizer> {
        if (state_ == nullptr || state_->dnn == nullptr) return closed();
        auto state = State::make(state_->model, state_->dnn, state_->decoder, state_->timeout_ms,
                                 state_->frames.size());
        if (!state) return state.error();
        return Recognizer(std::move(*state));
    });
}

Status Recognizer::set_decoding(const DecodeOptions& options) noexcept {
    return guarded([&]() -> Status {
        if (state_ == nullptr) return closed();
        Result<TextDecoder> decoder = TextDecoder::create(state_->model, options);
        if (!decoder) return decoder.error();
        state_->decoder = std::move(*decoder);
        return {};
    });
}

template <class Prepare>
Status Recognizer::fill_next(Prepare prepare) noexcept {
    return guarded([&]() -> Status {
        if (state_ == nullptr) return closed();
        return state_->fill([&] { return prepare(*state_); });
    });
}

template <class SetImage>
Status Recognizer::read_one(SetImage set_image, Reading& reading) noexcept {
    Status status = guarded([&]() -> Status {
        if (on_the_way() > 0) return infer();  // which refuses
        if (Status s = set_image(); !s) return s;
        return infer();
    });
    return status ? decode(reading) : read_nothing(std::move(status), reading);
}

Status Recognizer::set_image(const ImageView& image) noexcept {
    return fill_next([&](State& s) {
        return s.input.takes_pixels() ? s.preprocessor.resize(image, s.pixels.data())
                                      : s.preprocessor.run(image, s.values.data());
    });
}

Status Recognizer::set_image(const ImageView& image, const Region& region) noexcept {
    return fill_next([&](State& s) {
        return s.input.takes_pixels() ? s.preprocessor.resize(image, region, s.pixels.data())
                                      : s.preprocessor.run(image, region, s.values.data());
    });
}

Status Recognizer::set_image(const ImageView& image, const Quad& quad) noexcept {
    return fill_next([&](State& s) {
        return s.input.takes_pixels() ? s.preprocessor.rectify(image, quad, s.pixels.data())
                                      : s.preprocessor.run(image, quad, s.values.data());
    });
}

Status Recognizer::set_input(std::span<const float> values) noexcept {
    return fill_next([&](State& s) -> Status {
        if (values.size() != s.preprocessor.output_size())
            return invalid("expected " + std::to_string(s.preprocessor.output_size()) +
                           " input values, found " + std::to_string(values.size()));
        if (!s.input.takes_pixels()) {
            std::copy(values.begin(), values.end(), s.values.begin());
            return {};
        }
        const Preprocess& how = s.preprocessor.preprocess();
        const auto count = static_cast<std::size_t>(channels(how.order));
        for (std::size_t i = 0; i < values.size(); ++i) {
            const float level = values[i] / how.scale[i % count] + how.mean[i % count];
            s.pixels[i] = static_cast<std::uint8_t>(
                std::fmin(std::fmax(std::nearbyint(level), 0.0f), 255.0f));
        }
        return {};
    });
}

Status Recognizer::start() noexcept {
    return guarded([&] { return state_ != nullptr ? state_->start() : closed(); });
}

Status Recognizer::finish() noexcept {
    return guarded([&] { return state_ != nullptr ? state_->finish() : closed(); });
}

Status Recognizer::infer() noexcept {
    return guarded([&]() -> Status {
        if (on_the_way() > 0) return invalid("frames are on their way; finish() them first");
        if (Status s = start(); !s) return s;
        return finish();
    });
}

Status Recognizer::decode(Reading& reading) noexcept {
    Status status = guarded([&]() -> Status {
        if (state_ == nullptr) return closed();
        state_->decoder.decode(state_->logits, reading);
        return {};
    });
    return status ? status : read_nothing(std::move(status), reading);
}

Status Recognizer::read(const ImageView& image, Reading& reading) noexcept {
    return read_one([&] { return set_image(image); }, reading);
}

Status Recognizer::read(const ImageView& image, const Region& region, Reading& reading) noexcept {
    return read_one([&] { return set_image(image, region); }, reading);
}

Status Recognizer::read(const ImageView& image, const Quad& quad, Reading& reading) noexcept {
    return read_one([&] { return set_image(image, quad); }, reading);
}

Result<Reading> Recognizer::read(const ImageView& image) noexcept {
    return guarded([&]() -> Result<Reading> {
        Reading reading;
        if (Status status = read(image, reading); !status) return status.error();
        return reading;
    });
}

int Recognizer::on_the_way() const noexcept {
    return state_ != nullptr ? static_cast<int>(state_->on_the_way) : 0;
}

std::span<const float> Recognizer::logits() const noexcept {
    if (state_ == nullptr || state_->dnn == nullptr) return {};
    return state_->logits;
}

std::span<const std::vector<float>> Recognizer::branches() const noexcept {
    if (state_ == nullptr || state_->dnn == nullptr) return {};
    return state_->branches;
}

const std::string& Recognizer::runtime_version() const noexcept {
    static const std::string none;
    return state_ != nullptr && state_->dnn != nullptr ? state_->dnn->library().version() : none;
}

const std::string& Recognizer::bin() const noexcept {
    static const std::string none;
    return state_ != nullptr && state_->dnn != nullptr ? state_->dnn->path() : none;
}

Status Recognizer::close() noexcept {
    if (state_ == nullptr) return {};
    return state_->close();
}

}  // namespace lprnet::bpu
