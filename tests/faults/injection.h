// Memory and threads that run out when a test says so. Linking injection.cpp replaces malloc and
// its kin, mmap and pthread_create of the whole program; under sanitizers, which have a malloc of
// their own, operator new alone.
#pragma once

#include <cstddef>

namespace lprnet::test {

enum class Fault {
    once,      // the chosen request fails
    from_then  // it and all after it
};

// Requests are counted from here on, over all threads, from 0. The one called `number` fails.
void inject_memory_fault(std::size_t number, Fault fault) noexcept;
void inject_thread_fault(std::size_t number, Fault fault) noexcept;
// Counts without a fault.
void count_requests() noexcept;
// Ends counting and failing.
void stop_injection() noexcept;

// Since the last of the first three.
std::size_t memory_requests() noexcept;
std::size_t thread_requests() noexcept;

// What is held at the moment: blocks, and bytes of mappings.
struct Held {
    std::ptrdiff_t blocks = 0;
    std::ptrdiff_t mapped_bytes = 0;
    friend bool operator==(const Held&, const Held&) = default;
};
Held held() noexcept;

}  // namespace lprnet::test
