#include "engine/measure/throughput.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/boundary.h"

namespace lprnet::measure {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration d) {
    return std::chrono::duration<double, std::milli>(d).count();
}

// What the threads share. All memory is taken before they start: they have no way to say that there
// is none.
class Race {
public:
    Race(std::span<FrameWork* const> workers, int frames, int warmup)
        : workers_(workers),
          frames_(frames),
          warmup_(warmup),
          latencies_ms_(static_cast<std::size_t>(frames)),
          failures_(workers.size()) {}

    Result<Latencies> run() {
        std::vector<std::thread> threads;
        threads.reserve(workers_.size());
        try {
            for (std::size_t t = 0; t < workers_.size(); ++t)
                threads.emplace_back([this, t] { work(t); });
        } catch (...) {
            phase_.store(Phase::stop);
            for (std::thread& thread : threads) thread.join();
            return Error{ErrorCode::out_of_memory, "bench: " + std::to_string(threads.size()) +
                                                       " of " + std::to_string(workers_.size()) +
                                                       " threads can be started"};
        }
        while (ready_.load() < workers_.size()) std::this_thread::yield();
        const Clock::time_point begin = Clock::now();
        phase_.store(Phase::run);
        for (std::thread& thread : threads) thread.join();
        const double total_ms = milliseconds(Clock::now() - begin);
        for (const Status& failed : failures_)
            if (!failed) return failed.error();
        return latencies_of(std::move(latencies_ms_), total_ms);
    }

private:
    enum class Phase { wait, run, stop };

    void work(std::size_t t) noexcept {
        FrameWork& worker = *workers_[t];
        Status& failed = failures_[t];
        for (int i = 0; i < warmup_ && failed; ++i) failed = worker.run();
        ready_.fetch_add(1);
        while (phase_.load() == Phase::wait) std::this_thread::yield();
        if (phase_.load() == Phase::stop) return;
        for (int i = next_.fetch_add(1); i < frames_; i = next_.fetch_add(1)) {
            const Clock::time_point begin = Clock::now();
            if (failed) failed = worker.run();
            latencies_ms_[static_cast<std::size_t>(i)] = milliseconds(Clock::now() - begin);
        }
    }

    std::span<FrameWork* const> workers_;
    int frames_;
    int warmup_;
    std::vector<double> latencies_ms_;  // by frame
    std::vector<Status> failures_;      // by thread
    std::atomic<std::size_t> ready_{0};
    std::atomic<Phase> phase_{Phase::wait};
    std::atomic<int> next_{0};
};

}  // namespace

Result<Latencies> throughput(std::span<FrameWork* const> workers, int frames, int warmup) noexcept {
    return guarded([&]() -> Result<Latencies> {
        if (workers.empty() || frames < 1) {
            return Error{ErrorCode::invalid_argument,
                         "bench: expected at least one thread and one frame, found " +
                             std::to_string(workers.size()) + " and " + std::to_string(frames)};
        }
        return Race(workers, frames, warmup).run();
    });
}

}  // namespace lprnet::measure
