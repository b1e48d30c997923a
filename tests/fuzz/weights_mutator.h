// Weights files that are wrong in ways that random bytes never reach, and everything that the
// library and the program do with such a file. For the fuzz target and for the campaign beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lprnet::test {

// Changes a safetensors file in one to four places, chosen by `seed`: values at the edge of their
// type, shapes, sparse masks, int8 scales, batch norms, metadata and its JSON, tensors that are
// dropped, renamed or repeated, bytes of the header. Most of what comes out is still a safetensors
// file. False if `file` is none; it is unchanged then.
bool mutate_safetensors(std::vector<std::byte>& file, std::uint64_t seed);

// Small valid networks to begin with: float32, sparse, int8, int8 with a layer in float32, weights
// alone in int8, gray, a
// spatial transformer in float32 and in int8.
std::vector<std::vector<std::byte>> weights_seeds();

struct Exercised {
    bool loaded = false;
    bool read = false;       // on every table, without an error
    bool quantized = false;  // and what came out was loaded again
    bool pruned = false;
    std::string broken;  // the promise that did not hold; empty when all did
};

// Load, a walk over what `info` shows, plan and read on every table, selftest, prune, quantize. An
// error is as good as success, if it is one line; tables have to agree. Never throws but for
// std::bad_alloc.
Exercised exercise_weights(std::span<const std::byte> file);

}  // namespace lprnet::test
