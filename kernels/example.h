// An example of every kernel: one call with all the memory that it works on, for what goes over the
// rows of kernels.inc, tests and benchmarks. Each FOLDER_example.cpp makes those of its folder. Not
// part of the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "kernels/kernel_table.h"
#include "kernels/part.h"

namespace lprnet::kernels {

// Blocks at cache-line alignment with guards on both sides. What nobody has set is NaN as float32,
// and as a level a number that the reference and the tables do not share.
class ExampleMemory {
public:
    template <class T>
    T* add(std::size_t size) {
        return reinterpret_cast<T*>(add_bytes(size * sizeof(T)));
    }
    template <class T>
    T* add(std::span<const T> values) {
        T* begin = add<T>(values.size());
        std::memcpy(begin, values.data(), values.size_bytes());
        return begin;
    }
    bool guards_intact() const noexcept;

private:
    struct Block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t begin, size, all;
    };
    std::byte* add_bytes(std::size_t bytes);

    std::vector<Block> blocks_;
};

struct Example {
    ExampleMemory memory;
    // One part of the call; a tool's first part is the whole.
    std::function<void(const Part& part)> run;
    // What the parts left, the same numbers in the same order for every table. Of a kernel that
    // works in place only after each part ran once.
    std::function<std::vector<double>()> result;
    // How far a number of the result may lie from the reference's. Numbers are chosen so that it is
    // 0 wherever a formula allows: small integers, whose sums are exact in any order.
    double tolerance = 0.0;
};

#define LPRNET_KERNEL(folder, name, Call, elements) \
    Example name##_example(const KernelTable& table);
#define LPRNET_TOOL LPRNET_KERNEL
#include "kernels/kernels.inc"

struct ExampleRow {
    const char* name;  // of the kernel
    bool tool;
    Example (*make)(const KernelTable& table);
};

// One for each row of kernels.inc, in its order.
std::span<const ExampleRow> all_examples() noexcept;

// --- For the makers ---------------------------------------------------------------------------

// Whole numbers, the same for every table.
class WholeNumbers {
public:
    int next(int least, int most) {
        return least + static_cast<int>(random_() % static_cast<unsigned>(most - least + 1));
    }
    // `size` of them, times `scale`.
    template <class T = float>
    std::vector<T> list(std::size_t size, int least, int most, double scale = 1.0) {
        std::vector<T> numbers(size);
        for (T& number : numbers) number = static_cast<T>(next(least, most) * scale);
        return numbers;
    }

private:
    std::mt19937 random_{20};
};

// Levels in the table's elements.
void* add_levels(ExampleMemory& memory, const KernelTable& table, std::span<const int> levels);
void* add_levels(ExampleMemory& memory, const KernelTable& table, std::size_t size);
int level_at(const KernelTable& table, const void* levels, std::size_t index) noexcept;

template <class Call>
void set_run(Example& example, const KernelTable& table, void (*kernel)(const Call&) noexcept,
             const Call& call) {
    example.run = [&table, kernel, call](const Part& part) {
        Call narrowed = call;
        if (narrow(narrowed, part, table)) kernel(narrowed);
    };
}

template <class T>
void set_result(Example& example, const T* numbers, std::size_t size) {
    example.result = [numbers, size] { return std::vector<double>(numbers, numbers + size); };
}
void set_levels_result(Example& example, const KernelTable& table, const void* levels,
                       std::size_t size);

}  // namespace lprnet::kernels
