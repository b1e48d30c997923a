// Which algorithm computes which convolution: measured on one CPU, kept in a text file.
//
//   lprnet tuning 1
//   cpu AMD EPYC
//   isa avx512
//   conv 64 64 3x1 18x44 F(6,3)
//   conv 64 256 1x1 18x44 35% sparse
//
// A conv line names input and output channels, taps, output extent, the share of zero weights
// rounded to multiples of 5 %, if it is not 0, and the algorithm; `conv *` stands for every
// convolution that the algorithm can compute. Empty lines and lines that begin with # are
// skipped. Where no line says anything, default_algorithm() decides.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/plan/conv_algorithm.h"
#include "lprnet/error.h"

namespace lprnet {

struct Tuning {
    std::string cpu;
    std::string isa;
    std::map<ConvShape, ConvAlgorithm> choices;
    std::optional<ConvAlgorithm> every;

    // What the tuning says about `shape`, if anything.
    std::optional<ConvAlgorithm> named(const ConvShape& shape) const;
    // The algorithm to use for `shape`.
    ConvAlgorithm choose(const ConvShape& shape, const kernels::KernelTable& table) const;
};

// `malformed` with the line's number, what was expected and found. `label` names the text.
Result<Tuning> parse_tuning(std::string_view text, const std::string& label);
std::string tuning_text(const Tuning& tuning);

}  // namespace lprnet
