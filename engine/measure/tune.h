// Which algorithm is fastest for each convolution of a network, measured on this CPU.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/measure/progress.h"
#include "engine/plan/tuning.h"
#include "lprnet/error.h"
#include "lprnet/model.h"

namespace lprnet::measure {

struct AlgorithmTime {
    ConvAlgorithm algorithm;
    double us = 0.0;  // median, summed over the layers of a shape
};

struct ShapeTiming {
    ConvShape shape;
    std::vector<AlgorithmTime> times;  // of every algorithm that computes it, direct first
    AlgorithmTime fastest;             // direct, unless another one is by more than the noise
};

struct TuneResult {
    Tuning tuning;                    // tuning_text() makes a file of it
    std::vector<ShapeTiming> shapes;  // in their order
    std::size_t runs = 0;             // of each plan that were measured
};

// Measures for about so many seconds, and at least a few rounds. `invalid_argument` for a time that
// is none; errors of build_plan().
Result<TuneResult> tune(const Model& model, const kernels::KernelTable& table, double seconds,
                        Progress& progress) noexcept;

// Of at least one time, direct first.
AlgorithmTime fastest_of(const std::vector<AlgorithmTime>& times);

}  // namespace lprnet::measure
