// The flags that choose who computes, shared by the verbs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "engine/cli/any_recognizer.h"
#include "engine/cli/model_option.h"

namespace lprnet::cli {

struct BackendOption {
    std::string name;     // cpu, bpu, auto; empty: bpu with a .bin, else cpu
    std::string bin;      // the model of the BPU
    std::string library;  // empty: the one that is installed
    std::string nv12 = "video";
    int timeout_ms = 1000;

    void add_to(CLI::App& app);
    // With auto the CPU's where the BPU's cannot be made, and a line on standard error that says
    // why. `threads` share each image on the CPU.
    Result<AnyRecognizer> open(const ModelOption& model_option, const Model& model,
                               const DecodeOptions& decoding = {}, int threads = 1) const;
};

}  // namespace lprnet::cli
