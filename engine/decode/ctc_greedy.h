// Connectionist temporal classification, best path: the highest class of every
// time step, runs of equal classes merged, blanks dropped (Graves et al. 2006).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lprnet/result.h"

namespace lprnet {

// logits: [step][class] before the softmax, classes = charset.size(). Among equal
// logits the lowest class wins, as in numpy.argmax. Fills `reading` as result.h
// says; allocates nothing once its strings and vector have grown.
void decode_ctc_greedy(std::span<const float> logits, const std::vector<std::string>& charset,
                       int blank, Reading& reading);

}  // namespace lprnet
