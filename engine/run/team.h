// A few threads that work on one image together.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace lprnet {

// Work is a row of stages, each of some blocks; every block of a stage may read what all blocks of
// the stages before wrote. Threads claim one block after the other, the caller of run() like the
// others, so that a thread that has no processor is missed by nobody: what it does not claim others
// do, and the caller alone can do everything. Only a block that has been begun is waited for.
//
// Who finds nothing to claim spins for a moment, for waking a thread can take as long as a third of
// the network, and then sleeps: it leaves its processor to the thread that it waits for, or to
// other programs. An idle team costs nothing.
//
// One caller at a time. Nothing is allocated or locked after construction.
class Team {
public:
    // `threads` at least 1. May throw std::bad_alloc or std::system_error.
    explicit Team(int threads);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    int threads() const noexcept { return threads_; }

    // For each of the stages 0, 1, ..., at most kMaxStages, work.blocks(stage), at least 1 and at
    // most kMaxBlocks, once; then work.run(stage, block, thread) for each of its blocks, on any
    // thread; thread 0 is the caller. Returns when all are done. A thread prefers the blocks at its
    // place among the threads, the same in all stages, whose data its cache still has.
    static constexpr int kMaxStages = 0xffff;
    static constexpr int kMaxBlocks = 48;
    template <class Work>
    void run(int stages, const Work& work) noexcept {
        start({.blocks = [](const void* context, int stage) noexcept -> int {
                   return static_cast<const Work*>(context)->blocks(stage);
               },
               .run =
                   [](const void* context, int stage, int block, int thread) noexcept {
                       static_cast<const Work*>(context)->run(stage, block, thread);
                   },
               .context = &work,
               .stages = stages});
    }

private:
    struct Job {
        int (*blocks)(const void* context, int stage) noexcept = nullptr;
        void (*run)(const void* context, int stage, int block, int thread) noexcept = nullptr;
        const void* context = nullptr;
        int stages = 0;
    };

    void start(const Job& job) noexcept;
    void publish(int stage) noexcept;
    bool claim_and_run(int thread) noexcept;
    template <class Ready>
    void wait_until(const Ready& ready) noexcept;
    void work(int thread) noexcept;
    bool any_block() const noexcept;
    void wake() noexcept;
    void stop() noexcept;

    // Each counter has a cache line of its own: the threads that wait for one do not disturb
    // those that change another.
    //
    // The stage that runs and which of its blocks nobody has claimed yet, in one word: who claims a
    // block knows that the stage still runs, and nobody looks at a job that has ended. See ticket()
    // in team.cpp.
    alignas(64) std::atomic<std::uint64_t> ticket_{0};
    alignas(64) std::atomic<int> open_{0};         // blocks of the stage that are not done
    alignas(64) std::atomic<bool> asleep_{false};  // somebody may be, and has to be woken
    std::atomic<std::uint32_t> signal_{0};         // what sleepers wait for
    alignas(64) Job job_;
    std::atomic<bool> stop_{false};
    int threads_;
    std::vector<std::thread> others_;
};

}  // namespace lprnet
