// Fuzz target for picture files of whatever kind their first bytes say; mutated as bytes, so that a
// file of one kind can become one of another.
#include "tests/fuzz/check_picture.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)lprnet::fuzz::check_picture(data, size);
    return 0;
}
