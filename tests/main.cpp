// Runs the tests, or reports by name why they cannot run here: exit status 77
// tells ctest that they were skipped.
//   LPRNET_TEST_ISA   tests over kernel tables take this table alone
#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>

#include "kernels/dispatch.h"
#include "tests/catch.h"

int main(int argc, char** argv) {
    constexpr int kSkipped = 77;
    if (const char* isa = std::getenv("LPRNET_TEST_ISA")) {
        const lprnet::kernels::IsaEntry* entry = lprnet::kernels::find_isa(isa);
        if (entry == nullptr) {
            std::fprintf(stderr, "no kernel table is called '%s'\n", isa);
            return 1;
        }
        if (!entry->supported(lprnet::kernels::detect_cpu_features())) {
            std::printf("skipped: this CPU does not offer %s\n", isa);
            return kSkipped;
        }
    }
    return Catch::Session().run(argc, argv);
}
