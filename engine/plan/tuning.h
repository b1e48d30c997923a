// Which algorithm computes which convolution: measured on one CPU, kept in a text file.
//
//   lprnet tuning 1
//   cpu AMD EPYC
//   isa avx512
//   conv 64 64 3x1 18x44 F(6,3)
//
// A conv line names input and output channels, taps, output extent and algorithm; `conv *`
// stands for every convolution that the algorithm can compute. Empty lines and lines that
// begin with # are skipped. Where a line says nothing, default_algorithm() decides.
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

    // The algorithm to use for `shape`.
    ConvAlgorithm choose(const ConvShape& shape, const kernels::KernelTable& table) const;
};

// `malformed` with the line's number, what was expected and found. `label` names the text.
Result<Tuning> parse_tuning(std::string_view text, const std::string& label);
std::string tuning_text(const Tuning& tuning);

}  // namespace lprnet
