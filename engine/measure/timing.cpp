#include "engine/measure/timing.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

namespace lprnet::measure {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

double median(std::vector<double> values) {
    if (values.empty()) return 0.0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double percentile(std::span<const double> sorted, double share) noexcept {
    if (sorted.empty()) return 0.0;
    const double position = std::clamp(share, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double part = position - static_cast<double>(below);
    return sorted[below] * (1.0 - part) + sorted[above] * part;
}

Latencies latencies_of(std::vector<double> frames_ms, double total_ms) {
    if (frames_ms.empty()) return {};
    std::sort(frames_ms.begin(), frames_ms.end());
    const auto frames = static_cast<double>(frames_ms.size());
    Latencies of;
    of.frames = frames_ms.size();
    of.total_ms = total_ms;
    if (total_ms > 0.0) of.frames_per_second = frames * 1e3 / total_ms;
    of.mean_ms = std::accumulate(frames_ms.begin(), frames_ms.end(), 0.0) / frames;
    of.min_ms = frames_ms.front();
    of.p50_ms = percentile(frames_ms, 0.50);
    of.p90_ms = percentile(frames_ms, 0.90);
    of.p99_ms = percentile(frames_ms, 0.99);
    of.max_ms = frames_ms.back();
    return of;
}

std::vector<double> step_times_ms(Network& network, int frames, int warmup) {
    // More tell nothing new about a median, and have to be kept.
    constexpr int kMostFrames = 10000;
    const std::size_t steps = network.steps().size();
    std::vector<std::vector<double>> times(steps);
    for (int i = -warmup; i < std::min(frames, kMostFrames); ++i) {
        for (std::size_t s = 0; s < steps; ++s) {
            const Clock::time_point begin = Clock::now();
            network.run_step(s);
            const std::chrono::duration<double, std::milli> time = Clock::now() - begin;
            if (i >= 0) times[s].push_back(time.count());
        }
    }
    std::vector<double> medians;
    for (std::vector<double>& of_step : times) medians.push_back(median(std::move(of_step)));
    return medians;
}

}  // namespace lprnet::measure
