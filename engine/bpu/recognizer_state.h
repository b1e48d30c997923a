// What a bpu::Recognizer owns; shared with the tools that look inside a run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/bpu/dnn_model.h"
#include "engine/decode/text_decoder.h"
#include "engine/image/preprocess.h"
#include "lprnet/bpu.h"

namespace lprnet::bpu {

struct Recognizer::State {
    State(Model used, std::shared_ptr<DnnModel> loaded, Preprocessor pixels, TextDecoder text,
          int time_limit_ms);
    ~State();

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

}  // namespace lprnet::bpu
