#include "tests/allocation_counter.h"

#include <atomic>
#include <cstdlib>

#include "tests/operator_new.h"

namespace lprnet::test {

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

std::size_t allocation_count() noexcept {
    return allocations.load();
}

void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return aligned_memory(size, alignment);
}

void release(void* memory) noexcept {
    std::free(memory);
}

}  // namespace lprnet::test
