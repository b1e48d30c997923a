// The rate that no float32 convolution can exceed.
#pragma once

#include <cstdint>

namespace lprnet::kernels {

// Runs `rounds` of independent multiply-adds on registers and says how many single ones that made;
// for benchmarks.
struct PeakF32 {
    std::int64_t rounds;
    float* sink;                  // receives a number, so that nothing is left out
    std::int64_t* multiply_adds;  // receives the count
};

}  // namespace lprnet::kernels
