// Counts every allocation of the process.
#pragma once

#include <cstddef>

namespace lprnet::test {

// Calls of operator new since the start, over all threads.
std::size_t allocation_count() noexcept;

}  // namespace lprnet::test
