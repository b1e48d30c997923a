// Means and second moments of what a layer reads and of what it should compute, over samples: all
// that least squares has to know of them.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/kernel_table.h"

namespace lprnet {

struct Moments {
    std::size_t inputs = 0, targets = 0, samples = 0;
    std::vector<double> input_mean, target_mean;
    // Sums of products of the deviations from the means.
    std::vector<float> inputs_inputs;   // [inputs][inputs]
    std::vector<float> targets_inputs;  // [targets][inputs]
};

// Sums them up block by block.
class MomentSums {
public:
    MomentSums(const kernels::KernelTable& table, std::size_t inputs, std::size_t targets);

    // `count` samples, at least 1: inputs [inputs][count] and targets [targets][count], which this
    // changes.
    void add(std::vector<float>& inputs, std::vector<float>& targets, std::size_t count);
    // After the last block, at least one.
    Moments take();

private:
    const kernels::KernelTable& table_;
    Moments sums_;
    // Products are summed of differences from the first block's means, near the real ones: float32
    // would lose much to larger numbers.
    std::vector<float> input_shift_, target_shift_;
};

// product[i][j] = sum_k a[i][k] * b[j][k], computed as a 1x1 convolution of pixels `a` with weights
// `b`, which makes use of every instruction set's kernels.
void multiply_transposed(const kernels::KernelTable& table, const std::vector<float>& a,
                         std::size_t rows_a, const std::vector<float>& b, std::size_t rows_b,
                         std::size_t columns, std::vector<float>& product);

}  // namespace lprnet
