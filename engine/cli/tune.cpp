#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>

#include "engine/cli/model_option.h"
#include "engine/cli/number_range.h"
#include "engine/cli/progress.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/model/model_data.h"
#include "engine/run/choose_table.h"
#include "engine/run/network.h"
#include "engine/text/printable.h"
#include "kernels/cpu_features.h"
#include "weights/whole_file.h"

namespace lprnet::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct TuneOptions {
    ModelOption model;
    std::string output;
    double seconds = 5.0;
};

// A plan in which one algorithm computes every convolution that it can.
struct TrialPlan {
    ConvAlgorithm algorithm;
    Network network;
    std::vector<std::vector<double>> times_us;  // by step
};

Result<std::vector<TrialPlan>> make_candidates(const Model& model,
                                               const kernels::KernelTable& table) {
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
    std::vector<TrialPlan> candidates;
    for (const ConvAlgorithm& algorithm : algorithms) {
        PlanOptions options;
        options.tuning.every = algorithm;
        Result<Network> network = Network::create(model.data().graph, table, options);
        if (!network) return network.error();
        const std::size_t steps = network->steps().size();
        candidates.push_back(
            {algorithm, std::move(*network), std::vector<std::vector<double>>(steps)});
    }
    return candidates;
}

// The plans take turns, so that a change of the clock rate or a busy neighbor hits all. Each
// runs a few times in a row, of which the first only brings its weights back into the cache.
void measure(std::vector<TrialPlan>& candidates, double seconds) {
    constexpr int kLeastRounds = 3;
    constexpr int kMostRounds = 100;
    constexpr int kRunsInARow = 4;
    constexpr std::size_t kShownSteps = 100;
    Progress progress(kShownSteps);
    const Clock::time_point begin = Clock::now();
    std::size_t shown = 0;
    for (int round = 0; round < kMostRounds; ++round) {
        const double spent = std::chrono::duration<double>(Clock::now() - begin).count();
        if (round >= kLeastRounds && spent >= seconds) break;
        const double done = seconds > 0.0 ? 100.0 * spent / seconds : 100.0;
        for (; shown < kShownSteps && static_cast<double>(shown) < done; ++shown)
            progress.advance();
        for (TrialPlan& candidate : candidates) {
            for (int repeat = 0; repeat < kRunsInARow; ++repeat) {
                for (std::size_t s = 0; s < candidate.network.steps().size(); ++s) {
                    const Clock::time_point start = Clock::now();
                    candidate.network.run_step(s);
                    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
                    if (repeat > 0) candidate.times_us[s].push_back(time.count());
                }
            }
        }
    }
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

struct Choice {
    ConvAlgorithm algorithm;
    double us = 0.0;
};

// For each shape the time of every algorithm, summed over the layers of that shape.
std::map<ConvShape, std::vector<Choice>> times_by_shape(const std::vector<TrialPlan>& candidates) {
    std::map<ConvShape, std::vector<Choice>> times;
    for (const TrialPlan& candidate : candidates) {
        for (std::size_t s = 0; s < candidate.network.steps().size(); ++s) {
            const StepInfo& step = candidate.network.steps()[s];
            // Where the algorithm does not apply the plan has its default, measured elsewhere.
            if (step.op != Op::conv2d || !(step.algorithm == candidate.algorithm)) continue;
            std::vector<Choice>& choices = times[step.conv_shape];
            if (choices.empty() || !(choices.back().algorithm == candidate.algorithm))
                choices.push_back({candidate.algorithm, 0.0});
            choices.back().us += median(candidate.times_us[s]);
        }
    }
    return times;
}

// Direct, which comes first, unless another one is faster by more than the noise.
const Choice& fastest(const std::vector<Choice>& choices) {
    constexpr double kNoise = 0.98;
    const auto best =
        std::min_element(choices.begin(), choices.end(),
                         [](const Choice& a, const Choice& b) { return a.us < b.us; });
    return best->us < kNoise * choices.front().us ? *best : choices.front();
}

ExitStatus run(const TuneOptions& options) {
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    if (!options.output.empty()) {
        if (Status status = weights::check_output_path(options.output); !status)
            return fail(status.error());
        std::error_code none;
        if (!options.model.path.empty() &&
            std::filesystem::equivalent(options.model.path, options.output, none)) {
            return fail({ErrorCode::invalid_argument, printable(options.output) +
                                                          ": is the weights file, expected "
                                                          "another one for the tuning"});
        }
    }
    Result<const kernels::KernelTable*> table = table_for("");
    if (!table) return fail(table.error());
    Result<std::vector<TrialPlan>> candidates = make_candidates(*model, **table);
    if (!candidates) return fail(candidates.error());
    measure(*candidates, options.seconds);

    Tuning tuning;
    tuning.cpu = kernels::cpu_brand().text;
    tuning.isa = (*table)->name;
    std::vector<std::vector<std::string>> rows = {
        {"in", "out", "taps", "output", "zero %", "fastest", "us", "direct us"}};
    for (const auto& [shape, choices] : times_by_shape(*candidates)) {
        const Choice& choice = fastest(choices);
        tuning.choices[shape] = choice.algorithm;
        if (choices.size() == 1) continue;
        rows.push_back({std::to_string(shape.ic), std::to_string(shape.oc),
                        std::to_string(shape.kh) + "x" + std::to_string(shape.kw),
                        std::to_string(shape.oh) + "x" + std::to_string(shape.ow),
                        std::to_string(shape.zero_percent), algorithm_text(choice.algorithm),
                        fixed(choice.us, 1), fixed(choices.front().us, 1)});
    }
    print_table(rows, {false, false, true, true, false, true, false, false});
    std::printf("isa %s, %zu runs\n", tuning.isa.c_str(),
                candidates->front().times_us.front().size());
    if (options.output.empty()) return kDone;
    const std::string text = tuning_text(tuning);
    const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(text))};
    if (Status status = weights::write_whole_file(options.output, pieces); !status)
        return fail(status.error());
    return kDone;
}

}  // namespace

Verb add_tune(CLI::App& app) {
    auto options = std::make_shared<TuneOptions>();
    options->model.add_to(app);
    app.add_option("-o,--output", options->output, "File to write, for --tuning of other verbs");
    app.add_option("--seconds", options->seconds,
                   "Time to measure, about; 0: no more than it takes")
        ->check(number_range(0.0, 600.0))
        ->capture_default_str();
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
