#include "tests/faults/injection.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "tests/operator_new.h"

namespace {

using lprnet::test::Fault;

// Of one kind of request. Initialized before anything runs: malloc is called early.
struct Requests {
    std::atomic<bool> counts{false};
    std::atomic<std::size_t> seen{0};
    std::atomic<std::size_t> fails{std::numeric_limits<std::size_t>::max()};
    std::atomic<bool> all_after{false};

    void start(std::size_t number, Fault fault) noexcept {
        seen = 0;
        fails = number;
        all_after = fault == Fault::from_then;
        counts = true;
    }
    bool next_fails() noexcept {
        if (!counts.load(std::memory_order_relaxed)) return false;
        const std::size_t number = seen.fetch_add(1);
        return all_after ? number >= fails : number == fails;
    }
};

constinit Requests memory;
constinit Requests threads;
constinit std::atomic<std::ptrdiff_t> blocks{0};
constinit std::atomic<std::ptrdiff_t> mapped_bytes{0};

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

void* counted(void* block) noexcept {
    if (block != nullptr) blocks.fetch_add(1, std::memory_order_relaxed);
    return block;
}

}  // namespace

namespace lprnet::test {

void inject_memory_fault(std::size_t number, Fault fault) noexcept {
    threads.start(kNever, Fault::once);
    memory.start(number, fault);
}

void inject_thread_fault(std::size_t number, Fault fault) noexcept {
    memory.start(kNever, Fault::once);
    threads.start(number, fault);
}

void count_requests() noexcept {
    inject_memory_fault(kNever, Fault::once);
}

void stop_injection() noexcept {
    memory.counts = false;
    threads.counts = false;
}

std::size_t memory_requests() noexcept {
    return memory.seen;
}

std::size_t thread_requests() noexcept {
    return threads.seen;
}

Held held() noexcept {
    return {blocks, mapped_bytes};
}

}  // namespace lprnet::test

#if defined(LPRNET_TEST_SANITIZED)

namespace lprnet::test {

void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
    return memory.next_fails() ? nullptr : counted(aligned_memory(size, alignment));
}

void release(void* block) noexcept {
    if (block != nullptr) blocks.fetch_sub(1, std::memory_order_relaxed);
    std::free(block);
}

}  // namespace lprnet::test

#else

// glibc's own, under the names that stay when malloc is replaced. The operators new of the C++
// library call malloc, and so do the thread and file functions of the C library.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);

void* malloc(std::size_t size) noexcept {
    if (memory.next_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    return counted(__libc_malloc(size));
}

void* calloc(std::size_t count, std::size_t size) noexcept {
    if (memory.next_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    return counted(__libc_calloc(count, size));
}

void* realloc(void* block, std::size_t size) noexcept {
    if (memory.next_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    void* moved = __libc_realloc(block, size);
    if (block == nullptr) return counted(moved);
    if (size == 0 && moved == nullptr) blocks.fetch_sub(1, std::memory_order_relaxed);
    return moved;
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
    if (memory.next_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    return counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    void* found = memalign(alignment, size);
    if (found == nullptr) return ENOMEM;
    *block = found;
    return 0;
}

void free(void* block) noexcept {
    if (block != nullptr) blocks.fetch_sub(1, std::memory_order_relaxed);
    __libc_free(block);
}

void* mmap(void* address, std::size_t length, int protection, int flags, int descriptor,
           off_t offset) noexcept {
    if (memory.next_fails()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    // A system call returns its result as a number.
    const long result = ::syscall(SYS_mmap, address, length, protection, flags, descriptor, offset);
    if (result == -1) return MAP_FAILED;
    mapped_bytes.fetch_add(static_cast<std::ptrdiff_t>((length + 4095) / 4096 * 4096));
    return reinterpret_cast<void*>(result);
}

int munmap(void* address, std::size_t length) noexcept {
    mapped_bytes.fetch_sub(static_cast<std::ptrdiff_t>((length + 4095) / 4096 * 4096));
    return static_cast<int>(::syscall(SYS_munmap, address, length));
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
    using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    static const auto create = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
    if (threads.next_fails()) return EAGAIN;
    return create(thread, attributes, start, argument);
}
}

#endif
