// How long networks take: what is made of measured times, and the times of single layers.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/run/network.h"

namespace lprnet::measure {

// The middle one, of an even number the upper of two. 0 of none.
double median(std::vector<double> values);

// Interpolated between neighbors; `share` is 0..1. 0 of none.
double percentile(std::span<const double> sorted, double share) noexcept;

// Of frames that threads took turns to read; all 0 if there is none.
struct Latencies {
    std::size_t frames = 0;
    double total_ms = 0.0;  // of all together
    double frames_per_second = 0.0;
    double min_ms = 0.0, mean_ms = 0.0, p50_ms = 0.0, p90_ms = 0.0, p99_ms = 0.0, max_ms = 0.0;
};

// Of each frame's time, in any order. May throw std::bad_alloc.
Latencies latencies_of(std::vector<double> frames_ms, double total_ms);

// The median time of each step on this thread, in milliseconds, over so many frames of whatever
// lies in the input, after so many others. Of more than ten thousand frames these have to do. May
// throw std::bad_alloc.
std::vector<double> step_times_ms(Network& network, int frames, int warmup);

}  // namespace lprnet::measure
