// Reading labelled images and counting what came out right: what eval and the calibration of
// other verbs share.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/any_recognizer.h"
#include "engine/cli/calibration.h"
#include "engine/cli/exit_status.h"
#include "engine/cli/labels.h"
#include "lprnet/recognizer.h"

namespace lprnet::cli {

struct Score {
    std::size_t plates = 0;
    std::size_t correct = 0;
    std::size_t first_correct = 0;
    std::size_t characters = 0;
    std::size_t edits = 0;

    // Shares 0..1; 0 where there is no plate.
    double accuracy() const;
    double first_accuracy() const;
    // One minus edits per character, not below zero.
    double char_accuracy() const;
};

struct Evaluation {
    Score all;
    std::map<std::string, Score> by_set;
    std::map<std::size_t, Score> by_length;
    // (expected, found) of replaced characters; an empty string is a missing or an added one.
    std::map<std::pair<std::string, std::string>, std::size_t> confusions;

    Reliability reliability;
    std::size_t rejected = 0;  // readings above reject_above(decoder)
    Decoder decoder = Decoder::greedy;
    // The logits too, if asked for.
    bool keep_logits = false;
    LabelledLogits logits;

    void add(const LabelledImage& image, const Reading& reading);
};

// Reads every image with every recognizer and adds the reading to its evaluation. Images that
// cannot be read are named on standard error and make the status kUnreadable.
ExitStatus evaluate(const std::vector<LabelledImage>& images, std::span<Recognizer> recognizers,
                    std::span<Evaluation> evaluations);
ExitStatus evaluate(const std::vector<LabelledImage>& images, AnyRecognizer& recognizer,
                    Evaluation& evaluation);

}  // namespace lprnet::cli
