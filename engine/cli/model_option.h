// The flags that choose a model and how to run it, shared by the verbs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "lprnet/error.h"
#include "lprnet/recognizer.h"

namespace lprnet::cli {

struct ModelOption {
    std::string path;       // empty: built in
    std::string precision;  // that the model must have; empty: whatever it has
    std::string tuning;  // file of `lprnet tune`; empty: the one that LPRNET_TUNING names, if any

    void add_to(CLI::App& app);
    Result<Model> load() const;
    // As `options` say, but for the tuning.
    Result<Recognizer> recognizer(const Model& model, RecognizerOptions options = {}) const;
};

}  // namespace lprnet::cli
