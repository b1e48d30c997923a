// The function pointers that one instruction set offers. A plan is built against
// one table and calls no other.
#pragma once

#include "kernels/shapes.h"

namespace lprnet::kernels {

struct KernelTable {
    const char* name;

    // Packing of convolution weights: `block_vectors` vectors of `lanes` output
    // channels are computed together.
    int lanes;
    int block_vectors;

    // Pixels that a sparse convolution takes at a time.
    int sparse_pixels;

    // Elements of quantized tensors: bytes, 1, 2 or 4, and what a kernel subtracts from each
    // before it multiplies, for which packing makes up in the bias.
    struct Levels {
        int bytes;
        int offset;
        int block_vectors;  // as above, for conv2d_s8
        // Weights in a word of packed weights.
        int group() const noexcept { return 4 / bytes; }
    };
    Levels levels;

    void (*conv2d_f32)(const Conv2dF32&) noexcept;
    // The same with one order of summation and no fused operation: equal bits from every table.
    // Its weights are packed with rows = false.
    void (*conv2d_f32_exact)(const Conv2dF32&) noexcept;
    void (*conv2d_sparse_f32)(const Conv2dSparseF32&) noexcept;
    void (*conv2d_s8)(const Conv2dS8&) noexcept;
    // Its weights are packed as those of conv2d_f32_exact.
    void (*conv2d_levels_f32)(const Conv2dLevelsF32&) noexcept;
    void (*conv1d_winograd_f32)(const Conv1dWinogradF32&) noexcept;
    void (*winograd_weights_f32)(const WinogradWeightsF32&) noexcept;
    void (*max_pool2d_f32)(const MaxPool2dF32&) noexcept;
    void (*context_tap_f32)(const ContextTapF32&) noexcept;
    void (*context_scale_f32)(const ContextScaleF32&) noexcept;
    void (*quantize_f32)(const QuantizeF32&) noexcept;
    void (*max_pool2d_levels)(const MaxPool2dLevels&) noexcept;
    void (*context_tap_levels)(const ContextTapLevels&) noexcept;
    void (*context_scale_levels)(const ContextScaleLevels&) noexcept;

    // Runs `rounds` of independent multiply-adds on registers and returns how many
    // single ones that made; for benchmarks. `sink` receives a number.
    std::int64_t (*peak_f32)(std::int64_t rounds, float* sink) noexcept;
    // The same for products of quantized elements.
    std::int64_t (*peak_s8)(std::int64_t rounds, float* sink) noexcept;
};

}  // namespace lprnet::kernels
