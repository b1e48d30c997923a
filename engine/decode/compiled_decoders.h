// Which decoders this build leaves out: CMake's option LPRNET_GREEDY_ONLY.
#pragma once

#include "lprnet/decoding.h"

namespace lprnet {

#if defined(LPRNET_GREEDY_ONLY)
inline constexpr bool kGreedyOnly = true;
#else
inline constexpr bool kGreedyOnly = false;
#endif

// False for a decoder that TextDecoder::create() refuses as `unsupported`.
constexpr bool is_compiled(Decoder decoder) noexcept {
    return !kGreedyOnly || decoder == Decoder::greedy;
}

}  // namespace lprnet
