// The kernel tables under test, and memory that notices stray reads and writes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include "kernels/dispatch.h"
#include "tests/catch.h"

namespace lprnet::test {

// An emulator and the thread sanitizer make every pass take tens of times as long. Tests that
// repeat the same with other networks or pictures take fewer of them there.
#if defined(LPRNET_TEST_MANY_TIMES_SLOWER)
inline constexpr bool kManyTimesSlower = true;
#else
inline constexpr bool kManyTimesSlower = false;
#endif

// The table named by LPRNET_TEST_ISA, or else every one that this CPU supports.
inline std::vector<const kernels::KernelTable*> tables_under_test() {
    if (const char* isa = std::getenv("LPRNET_TEST_ISA")) return {kernels::find_isa(isa)->table};
    std::vector<const kernels::KernelTable*> tables;
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    for (const kernels::IsaEntry& entry : kernels::all_isas()) {
        if (entry.supported(cpu)) tables.push_back(entry.table);
    }
    return tables;
}

inline const kernels::KernelTable& reference_table() {
    return *kernels::find_isa("reference")->table;
}

// Floats with a canary on each side and `misalignment` floats away from a cache line.
// The canaries are NaN, so that a kernel that reads one cannot hide it.
class GuardedFloats {
public:
    explicit GuardedFloats(std::size_t size, std::size_t misalignment = 0)
        : size_(size), memory_(size + 2 * kGuard + kLine + misalignment, kCanary) {
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
        const std::size_t to_line = (kLine - address / sizeof(float) % kLine) % kLine;
        begin_ = memory_.data() + to_line + kGuard + misalignment;
    }

    // A copy is aligned, with guards of its own.
    GuardedFloats(const GuardedFloats& other) : GuardedFloats(other.size_) {
        std::copy_n(other.begin_, size_, begin_);
    }
    GuardedFloats& operator=(const GuardedFloats&) = delete;
    GuardedFloats(GuardedFloats&&) = default;

    float* data() { return begin_; }
    std::size_t size() const { return size_; }
    float& operator[](std::size_t i) { return begin_[i]; }
    float operator[](std::size_t i) const { return begin_[i]; }

    template <class Generator>
    void fill(Generator&& generate) {
        for (std::size_t i = 0; i < size_; ++i) begin_[i] = generate();
    }

    // True if every float outside [data, data + size) is untouched.
    bool guards_intact() const {
        for (const float& f : memory_) {
            const bool inside = &f >= begin_ && &f < begin_ + size_;
            if (!inside && !std::isnan(f)) return false;
        }
        return true;
    }

private:
    static constexpr std::size_t kLine = 16;   // floats in a cache line
    static constexpr std::size_t kGuard = 64;  // a multiple of kLine
    static constexpr float kCanary = std::numeric_limits<float>::quiet_NaN();

    std::size_t size_;
    std::vector<float> memory_;
    float* begin_;
};

inline float uniform(std::mt19937& random, float low, float high) {
    return low + (high - low) * static_cast<float>(random() >> 8) / static_cast<float>(1U << 24);
}

// Unit roundoff of float32.
inline constexpr double kUnit = 0x1p-24;

// Bound of the error of a float sum of `terms` products whose absolute values add up
// to `magnitude` (Higham, Accuracy and Stability, 3.1), plus the rounding of the result.
inline double sum_error_bound(std::size_t terms, double magnitude) {
    const double n = static_cast<double>(terms) + 2.0;
    return n * kUnit / (1.0 - n * kUnit) * magnitude;
}

}  // namespace lprnet::test
