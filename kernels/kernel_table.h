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

    void (*conv2d_f32)(const Conv2dF32&) noexcept;
    void (*conv1d_winograd_f32)(const Conv1dWinogradF32&) noexcept;
    void (*max_pool2d_f32)(const MaxPool2dF32&) noexcept;
    void (*context_tap_f32)(const ContextTapF32&) noexcept;
    void (*context_scale_f32)(const ContextScaleF32&) noexcept;

    // Runs `rounds` of independent multiply-adds on registers and returns how many
    // single ones that made; for benchmarks. `sink` receives a number.
    std::int64_t (*peak_f32)(std::int64_t rounds, float* sink) noexcept;
};

}  // namespace lprnet::kernels
