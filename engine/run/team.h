// A few threads that work on one image together.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace lprnet {

// The caller of run() is thread 0; the others belong to the team. Between two runs that follow
// closely they spin, for the wake-up of a sleeping thread can take as long as a third of the
// network; soon they yield and then sleep, so that an idle team costs nothing.
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

    // job(thread) on every thread of the team; returns when all are done.
    template <class Job>
    void run(const Job& job) noexcept {
        start([](const void* context,
                 std::size_t thread) noexcept { (*static_cast<const Job*>(context))(thread); },
              &job);
    }

    // Only inside a job, by every thread of the team equally often: what was written before is
    // seen by all afterwards.
    void barrier() noexcept;

private:
    using Function = void (*)(const void* context, std::size_t thread) noexcept;

    void start(Function function, const void* context) noexcept;
    void work(std::size_t thread) noexcept;

    // Each counter has a cache line of its own: the threads that wait for one do not disturb
    // those that change another.
    alignas(64) std::atomic<unsigned> runs_{0};      // begun so far; wakes the threads
    alignas(64) std::atomic<int> arrived_{0};        // at the barrier
    alignas(64) std::atomic<unsigned> barriers_{0};  // passed so far
    alignas(64) Function function_ = nullptr;
    const void* context_ = nullptr;
    bool stop_ = false;
    int threads_;
    std::vector<std::thread> others_;
};

}  // namespace lprnet
