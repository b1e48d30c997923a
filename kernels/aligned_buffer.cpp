#include "kernels/aligned_buffer.h"

#include <memory>
#include <new>

#include "kernels/pack.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lprnet::kernels {
namespace {

#if defined(__linux__)

// Straight from the system, all pages at once: a thousand page faults one by one would take
// longer than the first image. Such memory is zero and aligned to whole pages.
float* allocate(std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return static_cast<float*>(memory);
}

void release(float* memory, std::size_t bytes) noexcept {
    ::munmap(memory, bytes);
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
