// Loops that are gone before the optimizer looks: arrays of batches that are only
// indexed by such loops become registers. Around ordinary loops, even ones that
// GCC 12 unrolls later, it leaves them on the stack: 10 % on short convolutions.
#pragma once

#include <utility>

// Sanitizers check every access of every loop that is unrolled here, which takes a compiler many
// minutes: under them functions stay apart, and tiles small.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LPRNET_INLINE
#define LPRNET_TILE_PIXELS(pixels) 3
#else
#define LPRNET_INLINE __attribute__((always_inline))
#if defined(LPRNET_MOST_PIXELS)  // fewer functions, one for each number of pixels
#define LPRNET_TILE_PIXELS(pixels) ((pixels) < LPRNET_MOST_PIXELS ? (pixels) : LPRNET_MOST_PIXELS)
#else
#define LPRNET_TILE_PIXELS(pixels) (pixels)
#endif
#endif

namespace lprnet::kernels {
namespace {

// body(0), body(1), ..., body(N - 1); the argument converts to a constant int. The
// body is a lambda marked LPRNET_INLINE.
template <int N, class Body>
LPRNET_INLINE inline void unrolled(Body body) {
    [&]<int... I>(std::integer_sequence<int, I...>) LPRNET_INLINE {
        (body(std::integral_constant<int, I>{}), ...);
    }
    (std::make_integer_sequence<int, N>{});
}

}  // namespace
}  // namespace lprnet::kernels
