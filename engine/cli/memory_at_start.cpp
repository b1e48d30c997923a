// Linked into programs, not into the Python package: what it does ends the process.
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "engine/cli/exit_status.h"

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
