#include "kernels/aligned_buffer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "kernels/weight_layout.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lprnet::kernels {
namespace {

#if defined(__linux__)

// Straight from the system, all pages at once: a thousand page faults one by one would take
// longer than the first image. Such memory is zero and aligned to whole pages.
//
// Large buffers ask for large pages: the sparse convolutions, whose loads jump about in 20 KB, run
// 10 to 25 % faster there, all others a little. Where the system has none to give, the buffer
// consists of small ones. So does an end that would leave more than half of a large page unused.
constexpr std::size_t kLargePage = std::size_t{1} << 21;
// At most this on every processor that we know; mappings are cut at multiples of it.
constexpr std::size_t kSmallPage = std::size_t{1} << 16;

// What of the buffer lies on large pages, in whole ones.
std::size_t large_bytes(std::size_t bytes) noexcept {
    return LPRNET_LARGE_PAGES ? (bytes + kLargePage / 2) / kLargePage * kLargePage : 0;
}

std::size_t mapped_bytes(std::size_t bytes) noexcept {
    const std::size_t large = large_bytes(bytes);
    if (large == 0) return bytes;
    return std::max(large, (bytes + kSmallPage - 1) / kSmallPage * kSmallPage);
}

std::byte* map(std::size_t bytes, int flags) {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return static_cast<std::byte*>(memory);
}

float* allocate(std::size_t bytes) {
    std::byte* begin = nullptr;
    if (const std::size_t large = large_bytes(bytes); large > 0) {
        // One page too many, then off with what lies before and behind the aligned part.
        const std::size_t size = mapped_bytes(bytes);
        std::byte* memory = map(size + kLargePage, 0);
        const std::size_t before =
            (kLargePage - reinterpret_cast<std::uintptr_t>(memory) % kLargePage) % kLargePage;
        begin = memory + before;
        if (before > 0) ::munmap(memory, before);
        if (before < kLargePage) ::munmap(begin + size, kLargePage - before);
        // Both are wishes, and fail on kernels that do not know them.
        ::madvise(begin, large, MADV_HUGEPAGE);
#if defined(MADV_POPULATE_WRITE)
        ::madvise(begin, bytes, MADV_POPULATE_WRITE);
#endif
    } else {
        begin = map(bytes, MAP_POPULATE);
    }
    return reinterpret_cast<float*>(begin);
}

void release(float* memory, std::size_t bytes) noexcept {
    ::munmap(memory, mapped_bytes(bytes));
}

#else

float* allocate(std::size_t bytes) {
    void* memory = ::operator new (bytes, std::align_val_t{kWeightAlignment});
    float* floats = static_cast<float*>(memory);
    std::uninitialized_fill_n(floats, bytes / sizeof(float), 0.0f);
    return floats;
}

void release(float* memory, std::size_t) noexcept {
    ::operator delete (memory, std::align_val_t{kWeightAlignment});
}

#endif

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t size)
    : data_(size == 0 ? nullptr : allocate(size * sizeof(float)), ReleaseAligned{size}) {}

void ReleaseAligned::operator()(float* p) const noexcept {
    release(p, size * sizeof(float));
}

}  // namespace lprnet::kernels
