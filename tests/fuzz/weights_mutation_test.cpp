// Some of the mutated weights files that weights_campaign runs many of, in every test run.
#include <cstdint>

#include "tests/catch.h"
#include "tests/fuzz/weights_mutator.h"

namespace lprnet::test {
namespace {

TEST_CASE("networks to begin with do everything", "[mutation][weights_mutation]") {
    const std::vector<std::vector<std::byte>> seeds = weights_seeds();
    REQUIRE(seeds.size() == 10);
    int quantized = 0;
    for (const std::vector<std::byte>& seed : seeds) {
        const Exercised done = exercise_weights(seed);
        CHECK(done.broken == "");
        CHECK(done.read);
        quantized += done.quantized ? 1 : 0;
    }
    CHECK(quantized >= 3);  // those that are not quantized already
}

TEST_CASE("a mutated network is refused in one line or keeps every promise",
          "[mutation][weights_mutation]") {
    const std::vector<std::vector<std::byte>> seeds = weights_seeds();
    int loaded = 0, read = 0, quantized = 0, pruned = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
        std::vector<std::byte> file = seeds[i % seeds.size()];
        REQUIRE(mutate_safetensors(file, i));
        const Exercised done = exercise_weights(file);
        INFO("seed " << i);
        CHECK(done.broken == "");
        loaded += done.loaded ? 1 : 0;
        read += done.read ? 1 : 0;
        quantized += done.quantized ? 1 : 0;
        pruned += done.pruned ? 1 : 0;
    }
    CHECK(loaded > 30);
    CHECK(loaded < 195);
    CHECK(read > 20);
    CHECK(quantized > 10);
    CHECK(pruned > 10);
}

TEST_CASE("what is no weights file is left alone", "[mutation][weights_mutation]") {
    std::vector<std::byte> file(100, std::byte{7});
    const std::vector<std::byte> before = file;
    CHECK_FALSE(mutate_safetensors(file, 1));
    CHECK(file == before);
    CHECK_FALSE(exercise_weights(file).loaded);
}

}  // namespace
}  // namespace lprnet::test
