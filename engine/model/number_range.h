// Which numbers a network can be made to compute with, from its weights alone: so that one whose
// sums leave float32 is refused when it is loaded, on every instruction set alike, and what is too
// small to matter is zero before anything is built from it.
#pragma once

#include <string>

#include "engine/image/preprocess.h"
#include "engine/model/graph.h"
#include "lprnet/error.h"

namespace lprnet {

// What a layer may sum up to. Instruction sets add in different orders, and Winograd's transforms
// multiply by some thousands in between: all of it stays below the 2^128 at which float32 ends.
// LPRNets have bounds of 2^20 to 2^50: the product of what each layer can multiply by, which no
// picture reaches.
inline constexpr float kLargestSum = 0x1p64f;

// The context divides each of its branches by the mean of its squares. The largest value of every
// branch has to lie between these, or to be 0: a branch without activations counts as zeros, and
// one whose squares are too large for float32 becomes zeros. A mean that is too small or too large
// for exact numbers leaves values outside. Whoever runs a network checks it, see
// context_in_range().
inline constexpr float kLeastContext = 0x1p-50f;
inline constexpr float kLargestContext = 0x1p30f;

// Bounds every sum of the float32 layers of `graph`, which build_network made, for pixels from 0 to
// 255. Mismatch, naming the layer, where one could be above kLargestSum. Weights and dead channels
// below 2^-100 of their layer's largest become zero where that changes no logit by more than
// rounding does. May throw std::bad_alloc.
Status settle_numbers(const Preprocess& preprocess, const std::string& label, Graph& graph);

}  // namespace lprnet
