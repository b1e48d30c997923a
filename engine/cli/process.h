// What the program is to the system: its streams, its last words, and what it does when memory or
// the disk runs out.
#pragma once

#include <string>

#include "engine/cli/exit_status.h"
#include "lprnet/error.h"

namespace lprnet::cli {

// Prints one line to standard error.
void print_error(const std::string& message);

// Prints the error and returns the status for it: wrong usage for an unknown
// instruction set, unreadable for everything about a file.
ExitStatus fail(const Error& error);

// `status`, if all that was printed got where it should: a full disk or a closed pipe must not
// look like success.
ExitStatus checked_output(ExitStatus status);

// Runs the program. Whatever it throws ends as one line and kUnreadable. Changes what belongs to
// the whole process, such as the handling of signals: to be called once, as its last work.
int run_guarded(ExitStatus (*program)(int argc, char** argv), int argc, char** argv);

}  // namespace lprnet::cli
