#include "engine/run/team.h"

#include <bit>
#include <chrono>

#include "kernels/cpu_features.h"

namespace lprnet {
namespace {

// Longer than most waits for the end of a stage, and than the pause between two images that follow
// each other at once.
constexpr std::chrono::microseconds kSpinning(40);
constexpr int kSpins = 32;  // between two looks at the clock

// What Team::ticket_ holds: the stage above kMaxBlocks bits, one for each unclaimed block.
constexpr std::uint64_t kBlocks = (std::uint64_t{1} << Team::kMaxBlocks) - 1;

constexpr std::uint64_t ticket(int stage, int blocks) noexcept {
    return static_cast<std::uint64_t>(stage) << Team::kMaxBlocks |
           ((std::uint64_t{1} << blocks) - 1);
}
constexpr int stage_of(std::uint64_t ticket) noexcept {
    return static_cast<int>(ticket >> Team::kMaxBlocks);
}
static_assert(stage_of(ticket(Team::kMaxStages, Team::kMaxBlocks)) == Team::kMaxStages);

}  // namespace

Team::Team(int threads) : threads_(threads) {
    others_.reserve(static_cast<std::size_t>(threads) - 1);
    try {
        for (int t = 1; t < threads; ++t) others_.emplace_back(&Team::work, this, t);
    } catch (...) {
        // The destructor does not run, and a thread that is not joined ends the program.
        stop();
        throw;
    }
}

Team::~Team() {
    stop();
}

void Team::stop() noexcept {
    stop_.store(true);
    wake();
    for (std::thread& other : others_) other.join();
}

// By the caller, or by the thread that did the last block of the stage before: nobody else holds
// a block then. Of the stage behind the last one there are no blocks: the job is done.
void Team::publish(int stage) noexcept {
    const int blocks = stage < job_.stages ? job_.blocks(job_.context, stage) : 0;
    open_.store(blocks, std::memory_order_relaxed);
    ticket_.store(ticket(stage, blocks));
    wake();
}

// Sleepers say that they are about to sleep and then look once more for what they wait for; here
// it is there first and they are looked for afterwards. In one order of all of this (the default
// of atomics), one of the two sees the other. Who has been woken and has no processor yet costs no
// second call of the system.
void Team::wake() noexcept {
    if (!asleep_.load() || !asleep_.exchange(false)) return;
    signal_.fetch_add(1);
    signal_.notify_all();
}

bool Team::claim_and_run(int thread) noexcept {
    std::uint64_t seen = ticket_.load(std::memory_order_acquire);
    std::uint64_t claimed = 0;
    do {
        const std::uint64_t all = seen & kBlocks;
        if (all == 0) return false;
        const std::uint64_t preferred = all & std::uint64_t{1} << thread;
        const std::uint64_t from = preferred != 0 ? preferred : all;
        claimed = from & (~from + 1);  // its lowest bit
    } while (!ticket_.compare_exchange_weak(seen, seen & ~claimed, std::memory_order_acq_rel,
                                            std::memory_order_acquire));
    const int stage = stage_of(seen);
    job_.run(job_.context, stage, std::countr_zero(claimed), thread);
    if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) publish(stage + 1);
    return true;
}

template <class Ready>
void Team::wait_until(const Ready& ready) noexcept {
    const auto end = std::chrono::steady_clock::now() + kSpinning;
    do {
        for (int i = 0; i < kSpins; ++i) {
            if (ready()) return;
            kernels::pause_cpu();
        }
    } while (std::chrono::steady_clock::now() < end);
    for (;;) {
        const std::uint32_t seen = signal_.load();
        asleep_.store(true);
        if (ready()) return;
        signal_.wait(seen);
    }
}

bool Team::any_block() const noexcept {
    return (ticket_.load() & kBlocks) != 0;
}

void Team::start(const Job& job) noexcept {
    if (job.stages == 0) return;
    job_ = job;
    publish(0);
    const auto ended = [&]() noexcept { return stage_of(ticket_.load()) == job.stages; };
    while (!ended()) {
        if (!claim_and_run(0)) wait_until([&]() noexcept { return ended() || any_block(); });
    }
}

void Team::work(int thread) noexcept {
    while (!stop_.load()) {
        if (!claim_and_run(thread)) {
            wait_until([this]() noexcept { return any_block() || stop_.load(); });
        }
    }
}

}  // namespace lprnet
