// The weights file that was linked into the library.
#pragma once

#include <cstddef>
#include <span>

namespace lprnet {

// The bytes of the file named by the CMake option LPRNET_BUILTIN_MODEL; empty if
// it was switched off.
std::span<const std::byte> builtin_model_bytes() noexcept;

}  // namespace lprnet
