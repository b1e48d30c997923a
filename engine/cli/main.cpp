// The program's first functions. All that follows is in program.cpp, which the Python package runs
// too.
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "engine/cli/exit_status.h"
#include "engine/cli/program.h"

namespace {

// Before all other constructors of this program, whose allocations nobody could catch: there is
// more memory than they take.
[[gnu::constructor(101)]] void check_memory_at_start() {
    constexpr std::size_t kBytes = 256 * 1024;
    void* volatile memory = std::malloc(kBytes);  // or a compiler sees no use of it
    if (memory == nullptr) {
        constexpr std::string_view kMessage = "lprnet: out of memory\n";
        static_cast<void>(!::write(STDERR_FILENO, kMessage.data(), kMessage.size()));
        ::_exit(lprnet::cli::kUnreadable);
    }
    std::free(memory);
}

}  // namespace

int main(int argc, char** argv) {
    return lprnet::cli::run_program(argc, argv);
}
