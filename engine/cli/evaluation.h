// Reading labelled images for engine/measure to count what came out right: what eval and the
// calibration of other verbs share.
#pragma once

#include <span>
#include <vector>

#include "engine/cli/any_recognizer.h"
#include "engine/cli/exit_status.h"
#include "engine/cli/labels.h"
#include "engine/measure/score.h"
#include "engine/measure/temperature.h"
#include "engine/report/eval_page.h"
#include "lprnet/recognizer.h"

namespace lprnet::cli {

// Reads every image with every recognizer and adds the reading to its evaluation. Images that
// cannot be read are named on standard error and make the status kUnreadable.
ExitStatus evaluate(const std::vector<LabelledImage>& images, std::span<Recognizer> recognizers,
                    std::span<measure::Evaluation> evaluations);
// `logits` and `misreads`, if not null, get those of every image.
ExitStatus evaluate(const std::vector<LabelledImage>& images, AnyRecognizer& recognizer,
                    measure::Evaluation& evaluation, measure::LabelledLogits* logits,
                    report::Misreads* misreads);

}  // namespace lprnet::cli
