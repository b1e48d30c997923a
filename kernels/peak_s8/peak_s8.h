// The rate that no convolution of levels with int8 weights can exceed.
#pragma once

#include <cstdint>

namespace lprnet::kernels {

// As PeakF32, of the products that conv2d_s8 sums.
struct PeakS8 {
    std::int64_t rounds;
    float* sink;
    std::int64_t* multiply_adds;
};

}  // namespace lprnet::kernels
