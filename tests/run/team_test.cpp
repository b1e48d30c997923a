#include "engine/run/team.h"

#include <chrono>
#include <vector>

#include "engine/run/network.h"
#include "lprnet/recognizer.h"
#include "tests/allocation_counter.h"
#include "tests/catch.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

TEST_CASE("every thread of a team does each job once", "[team]") {
    for (const int threads : {1, 2, 3, 5}) {
        Team team(threads);
        std::vector<int> counts(static_cast<std::size_t>(threads), 0);
        for (int i = 0; i < 200; ++i) {
            team.run([&](std::size_t thread) noexcept { ++counts[thread]; });
        }
        for (const int count : counts) CHECK(count == 200);
    }
}

TEST_CASE("a barrier shows each thread what the others wrote before it", "[team]") {
    constexpr int kThreads = 3;
    constexpr std::size_t kRounds = 300;
    Team team(kThreads);
    std::vector<std::size_t> latest(kThreads, 0);
    std::vector<int> wrong(kThreads, 0);
    team.run([&](std::size_t thread) noexcept {
        for (std::size_t round = 1; round <= kRounds; ++round) {
            latest[thread] = round;
            team.barrier();
            for (const std::size_t other : latest) wrong[thread] += other != round;
            team.barrier();
        }
    });
    for (const int count : wrong) CHECK(count == 0);
}

TEST_CASE("a team wakes up after it fell asleep", "[team]") {
    Team team(2);
    int done = 0;
    for (int i = 0; i < 3; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        team.run([&](std::size_t thread) noexcept {
            if (thread == 1) ++done;
        });
    }
    CHECK(done == 3);
}

TEST_CASE("a team that never ran ends", "[team]") {
    for (int i = 0; i < 20; ++i) Team team(3);
}

TEST_CASE("the logits do not depend on the number of threads", "[team]") {
    for (const RandomNetwork& network :
         {RandomNetwork{}, RandomNetwork{.classes = 5, .width = 0.3, .seed = 6},
          RandomNetwork{.zeros = 0.7}}) {
        const Model model = random_model(network);
        for (const kernels::KernelTable* table : tables_under_test()) {
            if (table->lanes == 1) continue;  // nothing of its own to divide, and slow
            std::vector<float> expected;
            for (const int threads : {1, 2, 3, 7}) {
                INFO(table->name << " with " << threads << " threads");
                PlanOptions options;
                options.threads = threads;
                Network network = make_network(model, *table, options);
                for (int repeat = 0; repeat < 3; ++repeat) {
                    std::fill_n(network.arena(), network.arena_bytes() / sizeof(float), 1e30f);
                    const std::span<float> input = network.input();
                    for (std::size_t i = 0; i < input.size(); ++i)
                        input[i] = static_cast<float>(i % 17) * 0.1f - 0.8f;
                    REQUIRE(network.run());
                    const std::vector<float> found = logits_of(network);
                    if (expected.empty()) expected = found;
                    CHECK(found == expected);
                }
            }
        }
    }
}

TEST_CASE("a recognizer with threads allocates nothing when warm", "[team]") {
    const Model model = random_model({.width = 0.5});
    RecognizerOptions options;
    options.threads = 2;
    Result<Recognizer> recognizer = Recognizer::create(model, options);
    REQUIRE(recognizer.ok());
    CHECK(recognizer->threads() == 2);
    Result<Recognizer> clone = recognizer->clone();
    REQUIRE(clone.ok());
    CHECK(clone->threads() == 2);
    const std::vector<std::uint8_t> pixels(94 * 24 * 3, 77);
    const ImageView view = {pixels.data(), 94, 24, 94 * 3, PixelFormat::bgr};
    Reading reading;
    REQUIRE(recognizer->read(view, reading).ok());
    const std::size_t before = allocation_count();
    for (int i = 0; i < 5; ++i) REQUIRE(recognizer->read(view, reading).ok());
    CHECK(allocation_count() == before);
}

TEST_CASE("a number of threads out of range is refused", "[team]") {
    const Model model = random_model({.width = 0.25});
    for (const int threads : {0, -1, 65}) {
        RecognizerOptions options;
        options.threads = threads;
        const Result<Recognizer> recognizer = Recognizer::create(model, options);
        REQUIRE_FALSE(recognizer.ok());
        CHECK(recognizer.error().code == ErrorCode::invalid_argument);
        CHECK_THAT(recognizer.error().message, contains("expected 1 to 64 threads"));
    }
}

}  // namespace
}  // namespace lprnet::test
