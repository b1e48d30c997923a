// The flags that choose how the network's output becomes text, shared by the verbs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "lprnet/error.h"
#include "lprnet/recognizer.h"

namespace lprnet::cli {

// A file, or the built-in set of that name; of no name: cn.
Result<Patterns> load_patterns(const std::string& name);

struct DecodeOption {
    std::string decoder;   // empty: as add_to() says
    std::string patterns;  // file, or the name of a built-in set; empty: cn
    std::string region;    // provinces, one character each; empty: none
    int candidates = 1;

    // With `most_candidates` above 1 also the flag for their number.
    void add_to(CLI::App& app, int most_candidates = 1);
    // Of the decoder in use.
    DecoderTraits traits() const;
    std::string name() const;
    // One line on standard error if the model lacks characters of the formats that most plates
    // have.
    void warn(const DecodeOptions& options, const Model& model) const;
    // Reads the file of patterns. With `needs_formats` a reading says which one it has with every
    // decoder; else only what was asked for is read, for formats take a third of a millisecond.
    Result<DecodeOptions> load(bool needs_formats) const;
};

}  // namespace lprnet::cli
