// The weights files that were linked into the library.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace lprnet {

// The bytes of the file named by the CMake option LPRNET_BUILTIN_MODEL, for "fp32", or
// LPRNET_BUILTIN_INT8_MODEL, for "int8"; empty if it was switched off.
std::span<const std::byte> builtin_model_bytes(std::string_view precision) noexcept;

// Takes those bytes out of the process's resident memory. They are read again from the file of
// the program as soon as somebody looks at them. At any time, from any thread.
void forget_builtin_pages() noexcept;

}  // namespace lprnet
