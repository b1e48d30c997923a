// Loops that are gone before the optimiser looks: arrays of batches that are only
// indexed by such loops become registers. Around ordinary loops, even ones that
// GCC 12 unrolls later, it leaves them on the stack: 10 % on short convolutions.
#pragma once

#include <utility>

#define LPRNET_INLINE __attribute__((always_inline))

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
