// The assembler copies the file into the object: no generated source, and the
// compiler never parses megabytes of digits.
#include "engine/model/builtin.h"

#ifdef LPRNET_BUILTIN_MODEL
// 64-byte alignment is that of the tensor data inside the file.
__asm__(
    ".section .rodata\n"
    ".balign 64\n"
    ".hidden lprnet_builtin_model_begin\n"
    ".globl lprnet_builtin_model_begin\n"
    "lprnet_builtin_model_begin:\n"
    ".incbin \"" LPRNET_BUILTIN_MODEL
    "\"\n"
    ".hidden lprnet_builtin_model_end\n"
    ".globl lprnet_builtin_model_end\n"
    "lprnet_builtin_model_end:\n"
    ".previous\n");

extern "C" const std::byte lprnet_builtin_model_begin[];
extern "C" const std::byte lprnet_builtin_model_end[];

namespace lprnet {

std::span<const std::byte> builtin_model_bytes() noexcept {
    return {lprnet_builtin_model_begin, lprnet_builtin_model_end};
}

}  // namespace lprnet
#else
namespace lprnet {

std::span<const std::byte> builtin_model_bytes() noexcept {
    return {};
}

}  // namespace lprnet
#endif
