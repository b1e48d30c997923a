// What operator_new.cpp asks for memory; a program that links it defines both.
#pragma once

#include <cstddef>

namespace lprnet::test {

void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept;
void release(void* memory) noexcept;

// Memory of the C library for the first of them.
void* aligned_memory(std::size_t size, std::size_t alignment) noexcept;

}  // namespace lprnet::test
