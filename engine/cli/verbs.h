// The verbs of the program. Each one adds its flags to a CLI11 subcommand and
// returns the function that runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "engine/cli/exit_status.h"

namespace lprnet::cli {

using Verb = std::function<ExitStatus()>;

Verb add_read(CLI::App& app);
Verb add_eval(CLI::App& app);
Verb add_bench(CLI::App& app);
Verb add_verify(CLI::App& app);
Verb add_prune(CLI::App& app);
Verb add_quantize(CLI::App& app);
Verb add_tune(CLI::App& app);
Verb add_info(CLI::App& app);
Verb add_selftest(CLI::App& app);
Verb add_doctor(CLI::App& app);

}  // namespace lprnet::cli
