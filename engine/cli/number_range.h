// Ranges of numbers on the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace lprnet::cli {

// As CLI::Range, but NaN, which is neither below nor above anything, is outside too.
CLI::Validator number_range(double low, double high);

}  // namespace lprnet::cli
