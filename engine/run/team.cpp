#include "engine/run/team.h"

#include "kernels/cpu_features.h"

namespace lprnet {
namespace {

// About 50 to 100 us on current cores, longer than any step of the network.
constexpr int kSpins = 4000;
constexpr int kYields = 50;

// True once `value` is no longer `old`; false if the patience of spinning and yielding ended.
bool wait_briefly(const std::atomic<unsigned>& value, unsigned old) noexcept {
    for (int i = 0; i < kSpins; ++i) {
        if (value.load(std::memory_order_acquire) != old) return true;
        kernels::pause_cpu();
    }
    for (int i = 0; i < kYields; ++i) {
        if (value.load(std::memory_order_acquire) != old) return true;
        std::this_thread::yield();
    }
    return false;
}

}  // namespace

Team::Team(int threads) : threads_(threads) {
    others_.reserve(static_cast<std::size_t>(threads) - 1);
    try {
        for (int t = 1; t < threads; ++t) {
            others_.emplace_back(&Team::work, this, static_cast<std::size_t>(t));
        }
    } catch (...) {
        // The destructor does not run, and a thread that is not joined ends the program.
        stop_ = true;
        runs_.fetch_add(1, std::memory_order_release);
        runs_.notify_all();
        for (std::thread& other : others_) other.join();
        throw;
    }
}

Team::~Team() {
    stop_ = true;
    runs_.fetch_add(1, std::memory_order_release);
    runs_.notify_all();
    for (std::thread& other : others_) other.join();
}

void Team::start(Function function, const void* context) noexcept {
    function_ = function;
    context_ = context;
    runs_.fetch_add(1, std::memory_order_release);
    runs_.notify_all();
    function(context, 0);
    barrier();
}

void Team::work(std::size_t thread) noexcept {
    unsigned seen = 0;
    for (;;) {
        if (!wait_briefly(runs_, seen)) runs_.wait(seen, std::memory_order_acquire);
        // Runs do not overlap: each ends at a barrier that this thread takes part in.
        ++seen;
        if (stop_) return;
        function_(context_, thread);
        barrier();
    }
}

void Team::barrier() noexcept {
    const unsigned passed = barriers_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
        arrived_.store(0, std::memory_order_relaxed);
        barriers_.fetch_add(1, std::memory_order_release);
        return;
    }
    while (!wait_briefly(barriers_, passed)) {
    }
}

}  // namespace lprnet
