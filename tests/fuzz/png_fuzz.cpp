// Fuzz target for PNG files, mutated as such.
#include "tests/fuzz/check_picture.h"
#include "tests/fuzz/picture_mutator.h"
#include "tests/fuzz/target.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
    return lprnet::fuzz::mutate_png(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)lprnet::fuzz::check_picture(data, size);
    return 0;
}
