// The assembler copies the files into the object: no generated source, and the
// compiler never parses megabytes of digits.
#include "engine/model/builtin.h"

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

// 64-byte alignment is that of the tensor data inside the file.
#define LPRNET_INCLUDE_FILE(symbol, file)        \
    __asm__(                                     \
        ".section .rodata\n"                     \
        ".balign 64\n"                           \
        ".hidden " #symbol                       \
        "_begin\n"                               \
        ".globl " #symbol "_begin\n" #symbol     \
        "_begin:\n"                              \
        ".incbin \"" file                        \
        "\"\n"                                   \
        ".hidden " #symbol                       \
        "_end\n"                                 \
        ".globl " #symbol "_end\n" #symbol       \
        "_end:\n"                                \
        ".previous\n");                          \
    extern "C" const std::byte symbol##_begin[]; \
    extern "C" const std::byte symbol##_end[]

#ifdef LPRNET_BUILTIN_MODEL
LPRNET_INCLUDE_FILE(lprnet_builtin_model, LPRNET_BUILTIN_MODEL);
#endif
#ifdef LPRNET_BUILTIN_INT8_MODEL
LPRNET_INCLUDE_FILE(lprnet_builtin_int8_model, LPRNET_BUILTIN_INT8_MODEL);
#endif

namespace lprnet {

std::span<const std::byte> builtin_model_bytes(
    [[maybe_unused]] std::string_view precision) noexcept {
#ifdef LPRNET_BUILTIN_MODEL
    if (precision == "fp32") return {lprnet_builtin_model_begin, lprnet_builtin_model_end};
#endif
#ifdef LPRNET_BUILTIN_INT8_MODEL
    if (precision == "int8")
        return {lprnet_builtin_int8_model_begin, lprnet_builtin_int8_model_end};
#endif
    return {};
}

void forget_builtin_pages() noexcept {
#if defined(__linux__)
    // Whole pages only, and never written: nothing can get lost.
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (const char* precision : {"fp32", "int8"}) {
        const std::span<const std::byte> bytes = builtin_model_bytes(precision);
        const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
        const std::uintptr_t begin = (address + page - 1) / page * page;
        const std::uintptr_t end = (address + bytes.size()) / page * page;
        if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
#endif
}

}  // namespace lprnet
