// The program's first function. All that follows is in program.cpp, which the Python package runs
// too.
#include "engine/cli/program.h"

int main(int argc, char** argv) {
    return lprnet::cli::run_program(argc, argv);
}
