// Blocks of floats below, at and above the sizes where the pages that they lie on change.
#include "kernels/aligned_buffer.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <new>
#include <string>

#include "kernels/weight_layout.h"
#include "tests/catch.h"

using lprnet::kernels::AlignedBuffer;

namespace {

// Bytes of this process's address space, 0 where the system does not tell. In the list of mappings,
// for an emulator makes up that list and no other.
std::size_t mapped_bytes() {
    std::ifstream maps("/proc/self/maps");
    std::size_t sum = 0;
    for (std::string line; std::getline(maps, line);) {
        std::size_t end_of_begin = 0;
        const std::size_t begin = std::stoull(line, &end_of_begin, 16);
        sum += std::stoull(line.substr(end_of_begin + 1), nullptr, 16) - begin;
    }
    return sum;
}

}  // namespace

TEST_CASE("a buffer is zero, aligned, writable to its end and given back whole",
          "[aligned_buffer]") {
    constexpr std::size_t kMebibyte = std::size_t{1} << 18;  // floats
    for (const std::size_t base : {std::size_t{1}, std::size_t{1024}, kMebibyte, 2 * kMebibyte,
                                   3 * kMebibyte, 4 * kMebibyte, 5 * kMebibyte}) {
        for (const std::size_t size : {base - 1, base, base + 1, base + 1000, base + 20000}) {
            CAPTURE(size);
            AlignedBuffer buffer(size);
            REQUIRE(buffer.size() == size);
            if (size == 0) continue;
            CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) %
                      lprnet::kernels::kWeightAlignment ==
                  0);
            float* const end = buffer.data() + size;
            CHECK(std::all_of(buffer.data(), end, [](float x) { return x == 0.0f; }));
            std::fill(buffer.data(), end, 1.0f);
            const AlignedBuffer other(size);
            CHECK(
                std::all_of(other.data(), other.data() + size, [](float x) { return x == 0.0f; }));
        }
    }
    const std::size_t before = mapped_bytes();
    constexpr int kTimes = 200;
    for (int i = 0; i < kTimes; ++i) {
        const AlignedBuffer buffer(2 * kMebibyte + 5000 + 1024 * static_cast<std::size_t>(i));
    }
    // What stays mapped by mistake would be at least a page each time; half of that may be the
    // test's own.
    CHECK(mapped_bytes() < before + kTimes * 4096 / 2);
}

TEST_CASE("a buffer that no memory can hold is bad_alloc", "[aligned_buffer]") {
    for (const std::size_t size : {SIZE_MAX / 8, SIZE_MAX / 4 - 1000, SIZE_MAX / 4}) {
        CAPTURE(size);
        CHECK_THROWS_AS(AlignedBuffer(size), std::bad_alloc);
    }
}
