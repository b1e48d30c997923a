// Recognizers that threads borrow: as many as are in use at once, made when they are needed, all
// with the same packed weights.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "lprnet/recognizer.h"

namespace lprnet::python {

class Pool {
public:
    static Result<std::shared_ptr<Pool>> create(const Model& model,
                                                const RecognizerOptions& options);

    // A recognizer for one thread; it goes back when the loan ends. Thread-safe.
    class Loan {
    public:
        Loan(std::shared_ptr<Pool> pool, Recognizer recognizer) noexcept
            : pool_(std::move(pool)), recognizer_(std::move(recognizer)) {}
        Loan(Loan&&) noexcept = default;
        Loan& operator=(Loan&&) = delete;
        ~Loan();

        Recognizer& operator*() noexcept { return recognizer_; }

    private:
        std::shared_ptr<Pool> pool_;  // null: moved from
        Recognizer recognizer_;
    };
    static Result<Loan> borrow(const std::shared_ptr<Pool>& pool) noexcept;

    // Never lent, only cloned and asked for what does not change.
    const Recognizer& first() const noexcept { return first_; }

    explicit Pool(Recognizer first) : first_(std::move(first)) {}

private:
    const Recognizer first_;
    std::mutex mutex_;
    std::vector<Recognizer> idle_;
};

// How often this process was forked off, its parents' times included: a pool of another generation
// may be locked by a thread, and wait for threads, that this process does not have. It is left
// alone for good.
unsigned fork_generation() noexcept;
void count_forks();

}  // namespace lprnet::python
