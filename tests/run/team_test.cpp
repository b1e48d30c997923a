#include "engine/run/team.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
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

// Counts, for each block of each stage, how often it was run, and whether it saw all that the
// stages before it wrote.
class CountingWork {
public:
    explicit CountingWork(std::vector<int> blocks) : blocks_(std::move(blocks)) {
        for (const int count : blocks_) done_.emplace_back(static_cast<std::size_t>(count), 0);
    }

    int stages() const { return static_cast<int>(blocks_.size()); }
    int blocks(int stage) const noexcept { return blocks_[static_cast<std::size_t>(stage)]; }
    void run(int stage, int block, int thread) const noexcept {
        for (int before = 0; before < stage; ++before) {
            // Plain memory: the thread sanitizer tells if nothing orders these.
            for (const int count : done_[static_cast<std::size_t>(before)])
                if (count != 1) early_.store(true);
        }
        ++done_[static_cast<std::size_t>(stage)][static_cast<std::size_t>(block)];
        if (thread < 0 || thread >= threads) foreign_.store(true);
    }
    bool each_once_in_order() const {
        for (const std::vector<int>& stage : done_)
            for (const int count : stage)
                if (count != 1) return false;
        return !early_.load() && !foreign_.load();
    }

    int threads = 1;

private:
    std::vector<int> blocks_;
    mutable std::vector<std::vector<int>> done_;
    mutable std::atomic<bool> early_{false}, foreign_{false};
};

TEST_CASE("every block of a stage is run once, after those of the stages before", "[team]") {
    for (const int threads : {1, 2, 3, 5, 64}) {
        INFO(threads << " threads");
        Team team(threads);
        for (int i = 0; i < 200; ++i) {
            CountingWork work({1, 8, 3, 1, 1, 40, 2});
            work.threads = threads;
            team.run(work.stages(), work);
            REQUIRE(work.each_once_in_order());
        }
    }
}

TEST_CASE("a team does jobs of one block, of many, and of no stage", "[team]") {
    Team team(3);
    for (const std::vector<int>& blocks :
         {std::vector<int>{}, std::vector<int>{1}, std::vector<int>{Team::kMaxBlocks},
          std::vector<int>(1000, 1)}) {
        CountingWork work(blocks);
        work.threads = 3;
        team.run(work.stages(), work);
        CHECK(work.each_once_in_order());
    }
}

TEST_CASE("a team wakes up after it fell asleep", "[team]") {
    // Blocks that wait for each other end only if both threads are awake.
    struct Meeting {
        mutable std::atomic<int> there{0};
        int blocks(int) const noexcept { return 2; }
        void run(int, int, int) const noexcept {
            ++there;
            while (there.load() < 2) std::this_thread::yield();
        }
    };
    Team team(2);
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const Meeting meeting;
        team.run(1, meeting);
        CHECK(meeting.there.load() == 2);
    }
}

TEST_CASE("who waits for a long block sleeps, and wakes up when it ends", "[team]") {
    struct Slow {
        mutable std::atomic<int> done{0};
        int blocks(int stage) const noexcept { return stage == 0 ? 2 : 1; }
        void run(int stage, int block, int) const noexcept {
            if (stage == 0 && block == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            ++done;
        }
    };
    Team team(2);
    for (int i = 0; i < 10; ++i) {
        const Slow slow;
        team.run(2, slow);
        CHECK(slow.done.load() == 3);
    }
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
