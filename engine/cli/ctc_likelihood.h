// How probable a network holds a known text.
#pragma once

#include <span>
#include <vector>

namespace lprnet::cli {

// The natural logarithm of the probability of the classes `text`, summed over all of their
// alignments (A. Graves et al., "Connectionist Temporal Classification", ICML 2006, section 4.1).
// `logits` is [step][class] before the softmax; no class of `text` is the blank. -infinity where
// the text needs more steps than there are.
double ctc_log_likelihood(std::span<const float> logits, int classes, int blank,
                          const std::vector<int>& text);

}  // namespace lprnet::cli
