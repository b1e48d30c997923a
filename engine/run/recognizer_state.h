// What a Recognizer owns; shared with the tools that look inside a run.
#pragma once

#include <memory>

#include "engine/decode/text_decoder.h"
#include "engine/image/preprocess.h"
#include "engine/model/model_data.h"
#include "engine/plan/plan.h"
#include "engine/run/run.h"
#include "kernels/aligned_buffer.h"
#include "lprnet/recognizer.h"

namespace lprnet {

struct Recognizer::State {
    Model model;
    std::shared_ptr<const Plan> plan;
    Preprocessor preprocessor;
    kernels::AlignedBuffer arena;
    TextDecoder decoder;
    std::unique_ptr<Team> team;  // none for one thread
    bool in_range = true;        // what the last infer() computed
};

}  // namespace lprnet
