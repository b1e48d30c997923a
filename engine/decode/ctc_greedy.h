// Connectionist temporal classification, best path: the highest class of every
// time step, runs of equal classes merged, blanks dropped (Graves et al. 2006).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lprnet {

// logits: [step][class] before the softmax. Among equal logits the lowest class wins, as in
// numpy.argmax. Writes to the front of `labels`, which has room for one a step, and returns what it
// wrote.
std::span<std::int32_t> best_path(std::span<const float> logits, std::size_t classes, int blank,
                                  std::span<std::int32_t> labels) noexcept;

}  // namespace lprnet
