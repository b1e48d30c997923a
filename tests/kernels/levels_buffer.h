// Tensors of levels in the elements of any table, with guards on both sides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/kernel_table.h"

namespace lprnet::test {

inline int random_below(std::mt19937& random, int end) {
    return static_cast<int>(random() % static_cast<unsigned>(end));
}

inline std::vector<int> random_levels(std::mt19937& random, std::size_t size) {
    std::vector<int> levels(size);
    for (int& q : levels) q = random_below(random, 256);
    return levels;
}

class LevelsBuffer {
public:
    LevelsBuffer(const kernels::KernelTable& table, std::size_t size)
        : bytes_(static_cast<std::size_t>(table.levels.bytes)),
          size_(size),
          memory_(size * bytes_ + 2 * kGuard, kCanary) {}
    LevelsBuffer(const kernels::KernelTable& table, const std::vector<int>& levels)
        : LevelsBuffer(table, levels.size()) {
        for (std::size_t i = 0; i < size_; ++i) set(i, levels[i]);
    }

    void* data() { return memory_.data() + kGuard; }
    std::size_t size() const { return size_; }

    void set(std::size_t i, int q) {
        const auto value = static_cast<std::int32_t>(q);  // little-endian: the low bytes come first
        std::memcpy(memory_.data() + kGuard + i * bytes_, &value, bytes_);
    }
    int get(std::size_t i) const {
        std::int32_t value = 0;
        std::memcpy(&value, memory_.data() + kGuard + i * bytes_, bytes_);
        return value;
    }
    std::vector<int> values() const {
        std::vector<int> values(size_);
        for (std::size_t i = 0; i < size_; ++i) values[i] = get(i);
        return values;
    }
    // True if no byte of element i was written.
    bool untouched(std::size_t i) const {
        const auto begin = memory_.begin() + static_cast<std::ptrdiff_t>(kGuard + i * bytes_);
        return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(bytes_),
                           [](std::uint8_t b) { return b == kCanary; });
    }
    bool guards_intact() const {
        const auto is_canary = [](std::uint8_t b) { return b == kCanary; };
        return std::all_of(memory_.begin(), memory_.begin() + kGuard, is_canary) &&
               std::all_of(memory_.end() - kGuard, memory_.end(), is_canary);
    }

private:
    static constexpr std::ptrdiff_t kGuard = 64;
    static constexpr std::uint8_t kCanary = 0xa5;

    std::size_t bytes_, size_;
    std::vector<std::uint8_t> memory_;
};

}  // namespace lprnet::test
