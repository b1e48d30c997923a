#include "engine/measure/tune.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "engine/boundary.h"
#include "engine/measure/timing.h"
#include "engine/model/model_data.h"
#include "engine/run/network.h"
#include "kernels/cpu_features.h"

namespace lprnet::measure {
namespace {

using Clock = std::chrono::steady_clock;

// A plan in which one algorithm computes every convolution that it can.
struct TrialPlan {
    ConvAlgorithm algorithm;
    Network network;
    std::vector<std::vector<double>> times_us;  // by step
};

Result<std::vector<TrialPlan>> make_trials(const Model& model, const kernels::KernelTable& table) {
    std::vector<ConvAlgorithm> algorithms;
    const Result<Plan> plan = build_plan(model.data().graph, table);
    if (!plan) return plan.error();
    for (const StepInfo& step : plan->info) {
        if (step.op != Op::conv2d) continue;
        for (const ConvAlgorithm& algorithm : conv_algorithms(step.conv_shape)) {
            if (std::find(algorithms.begin(), algorithms.end(), algorithm) == algorithms.end())
                algorithms.push_back(algorithm);
        }
    }
    std::vector<TrialPlan> trials;
    for (const ConvAlgorithm& algorithm : algorithms) {
        PlanOptions options;
        options.tuning.every = algorithm;
        Result<Network> network = Network::create(model.data().graph, table, options);
        if (!network) return network.error();
        const std::size_t steps = network->steps().size();
        trials.push_back({algorithm, std::move(*network), std::vector<std::vector<double>>(steps)});
    }
    return trials;
}

// A few times in a row, of which the first only brings the weights back into the cache.
void run_trial(TrialPlan& trial) {
    constexpr int kRunsInARow = 4;
    for (int repeat = 0; repeat < kRunsInARow; ++repeat) {
        for (std::size_t s = 0; s < trial.network.steps().size(); ++s) {
            const Clock::time_point start = Clock::now();
            trial.network.run_step(s);
            const std::chrono::duration<double, std::micro> time = Clock::now() - start;
            if (repeat > 0) trial.times_us[s].push_back(time.count());
        }
    }
}

// The plans take turns, so that a change of the clock rate or a busy neighbor hits all.
Status run_trials(std::vector<TrialPlan>& trials, double seconds, Progress& progress) {
    constexpr int kLeastRounds = 3;
    constexpr int kMostRounds = 100;
    constexpr std::size_t kParts = 100;  // of the time
    progress.begin(kParts);
    const Clock::time_point begin = Clock::now();
    std::size_t shown = 0;
    for (int round = 0; round < kMostRounds; ++round) {
        const double spent = std::chrono::duration<double>(Clock::now() - begin).count();
        if (round >= kLeastRounds && spent >= seconds) break;
        const double share = seconds > 0.0 ? std::min(spent / seconds, 1.0) : 1.0;
        const auto done = static_cast<std::size_t>(share * static_cast<double>(kParts));
        if (!progress.advance(done - shown)) return stopped();
        shown = done;
        for (TrialPlan& trial : trials) run_trial(trial);
    }
    return {};
}

// For each shape the time of every algorithm, summed over the layers of that shape.
std::map<ConvShape, std::vector<AlgorithmTime>> times_by_shape(
    const std::vector<TrialPlan>& trials) {
    std::map<ConvShape, std::vector<AlgorithmTime>> times;
    for (const TrialPlan& trial : trials) {
        for (std::size_t s = 0; s < trial.network.steps().size(); ++s) {
            const StepInfo& step = trial.network.steps()[s];
            // Where the algorithm does not apply the plan has its default, measured elsewhere.
            if (step.op != Op::conv2d || !(step.algorithm == trial.algorithm)) continue;
            std::vector<AlgorithmTime>& of_shape = times[step.conv_shape];
            if (of_shape.empty() || !(of_shape.back().algorithm == trial.algorithm))
                of_shape.push_back({trial.algorithm, 0.0});
            of_shape.back().us += median(trial.times_us[s]);
        }
    }
    return times;
}

}  // namespace

AlgorithmTime fastest_of(const std::vector<AlgorithmTime>& times) {
    constexpr double kNoise = 0.98;
    const auto best = std::min_element(
        times.begin(), times.end(),
        [](const AlgorithmTime& a, const AlgorithmTime& b) { return a.us < b.us; });
    return best->us < kNoise * times.front().us ? *best : times.front();
}

Result<TuneResult> tune(const Model& model, const kernels::KernelTable& table, double seconds,
                        Progress& progress) noexcept {
    return guarded([&]() -> Result<TuneResult> {
        if (!(seconds >= 0.0)) {
            return Error{ErrorCode::invalid_argument,
                         "tune: expected 0 seconds or more, found " + std::to_string(seconds)};
        }
        Result<std::vector<TrialPlan>> trials = make_trials(model, table);
        if (!trials) return trials.error();
        if (Status s = run_trials(*trials, seconds, progress); !s) return s.error();

        TuneResult result;
        result.tuning.cpu = kernels::cpu_brand().text;
        result.tuning.isa = table.name;
        if (!trials->empty()) result.runs = trials->front().times_us.front().size();
        for (auto& [shape, times] : times_by_shape(*trials)) {
            const AlgorithmTime fastest = fastest_of(times);
            result.tuning.choices[shape] = fastest.algorithm;
            result.shapes.push_back({shape, std::move(times), fastest});
        }
        return result;
    });
}

}  // namespace lprnet::measure
