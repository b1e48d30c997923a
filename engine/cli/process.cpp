#include "engine/cli/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <utility>

#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

// A closed standard stream must not become the number of a file that is opened later: what is
// printed would go into it. The stand-in answers as a closed one does, with EBADF.
void hold_standard_streams() {
    const int how[] = {O_WRONLY, O_RDONLY, O_RDWR};  // of 0, 1 and 2; the third swallows messages
    for (int stream = 0; stream < 3; ++stream) {
        if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", how[stream]);
    }
}

// Memory for the exception that says that there is none: where even the runtime's own reserve could
// not be had at the start, throwing it would end the program instead.
void* reserve = nullptr;

void give_up_reserve() {
    std::free(std::exchange(reserve, nullptr));
    std::set_new_handler(nullptr);
    throw std::bad_alloc();
}

bool take_reserve() {
    constexpr std::size_t kBytes = 16 * 1024;
    reserve = std::malloc(kBytes);
    if (reserve != nullptr) std::set_new_handler(give_up_reserve);
    return reserve != nullptr;
}

}  // namespace

void print_error(const std::string& message) {
    // Whoever made the message escaped what is not ours; here nothing gets through by mistake.
    std::fprintf(stderr, "lprnet: %s\n", printable(message).c_str());
}

ExitStatus fail(const Error& error) {
    print_error(error.message);
    return error.code == ErrorCode::unsupported || error.code == ErrorCode::invalid_argument
               ? kWrongUsage
               : kUnreadable;
}

ExitStatus checked_output(ExitStatus status) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    print_error("cannot write to standard output");
    return kUnreadable;
}

int run_guarded(ExitStatus (*program)(int argc, char** argv), int argc, char** argv) {
    hold_standard_streams();
    // A limit on the size of files is an error of the write that meets it, not the end.
    std::signal(SIGXFSZ, SIG_IGN);
    try {
        if (take_reserve()) return program(argc, argv);
        std::fputs("lprnet: out of memory\n", stderr);
    } catch (const std::bad_alloc&) {
        std::fputs("lprnet: out of memory\n", stderr);  // takes none
    } catch (const std::exception& error) {
        std::fprintf(stderr, "lprnet: %.200s\n", error.what());
    } catch (...) {
        std::fputs("lprnet: an error without a name\n", stderr);
    }
    return kUnreadable;
}

}  // namespace lprnet::cli
