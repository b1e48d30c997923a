#include "engine/python/pool.h"

#include <pthread.h>

#include <atomic>
#include <utility>

#include "engine/boundary.h"

namespace lprnet::python {
namespace {

std::atomic<unsigned> forks{0};

}  // namespace

Result<std::shared_ptr<Pool>> Pool::create(const Model& model, const RecognizerOptions& options) {
    Result<Recognizer> first = Recognizer::create(model, options);
    if (!first) return first.error();
    return std::make_shared<Pool>(std::move(*first));
}

Result<Pool::Loan> Pool::borrow(const std::shared_ptr<Pool>& pool) noexcept {
    return guarded([&]() -> Result<Loan> {
        {
            const std::lock_guard lock(pool->mutex_);
            if (!pool->idle_.empty()) {
                Recognizer idle = std::move(pool->idle_.back());
                pool->idle_.pop_back();
                return Loan(pool, std::move(idle));
            }
        }
        Result<Recognizer> another = pool->first_.clone();
        if (!another) return another.error();
        return Loan(pool, std::move(*another));
    });
}

Pool::Loan::~Loan() {
    if (pool_ == nullptr) return;
    // Without memory for the list there is one recognizer less to lend.
    static_cast<void>(guarded([&]() -> Status {
        const std::lock_guard lock(pool_->mutex_);
        pool_->idle_.push_back(std::move(recognizer_));
        return {};
    }));
}

unsigned fork_generation() noexcept {
    return forks.load(std::memory_order_relaxed);
}

void count_forks() {
    pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
}

}  // namespace lprnet::python
