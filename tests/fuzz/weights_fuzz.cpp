// Fuzz target for model files with dense, sparse and int8 tensors, which are loaded, planned, read
// with, pruned and quantized. An input of one byte is one of the networks to begin with.
#include <algorithm>
#include <span>
#include <vector>

#include "tests/fuzz/target.h"
#include "tests/fuzz/weights_mutator.h"

namespace {

using Bytes = std::vector<std::byte>;

Bytes file_of(const std::uint8_t* data, std::size_t size) {
    static const auto* const seeds = new std::vector<Bytes>(lprnet::test::weights_seeds());
    if (size == 1) return (*seeds)[data[0] % seeds->size()];
    const auto bytes = std::as_bytes(std::span(data, size));
    return {bytes.begin(), bytes.end()};
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
    Bytes file = file_of(data, size);
    const bool as_bytes_alone = seed % 16 == 0;
    if (as_bytes_alone || !lprnet::test::mutate_safetensors(file, seed) || file.size() > max_size)
        return LLVMFuzzerMutate(data, size, max_size);
    std::transform(file.begin(), file.end(), data,
                   [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    return file.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const lprnet::test::Exercised done = lprnet::test::exercise_weights(file_of(data, size));
    lprnet::fuzz::check(done.broken.empty(), done.broken.c_str());
    if (done.loaded) ++lprnet::fuzz::accepted;
    return 0;
}
