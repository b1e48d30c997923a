// What a Recognizer owns; shared with the tools that look inside a run.
#pragma once

#include <memory>

#include "engine/decode/text_decoder.h"
#include "engine/image/preprocess.h"
#include "engine/model/model_data.h"
#include "engine/run/network.h"
#include "lprnet/recognizer.h"

namespace lprnet {

struct Recognizer::State {
    Model model;
    Network network;
    Preprocessor preprocessor;
    TextDecoder decoder;
    bool in_range = true;  // what the last infer() computed
};

}  // namespace lprnet
