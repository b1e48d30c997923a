// lprnet: one program, one verb for each thing it does.
#pragma once

namespace lprnet::cli {

// Does what the words say and returns the exit status (exit_status.h). Changes what belongs to the
// whole process, such as the handling of signals: to be called once, as its last work.
int run_program(int argc, char** argv);

}  // namespace lprnet::cli
