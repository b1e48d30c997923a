// Times: what is made of them, who measures them, and choices by them.
#include "engine/measure/timing.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>

#include "engine/measure/throughput.h"
#include "engine/measure/tune.h"
#include "kernels/dispatch.h"
#include "tests/catch.h"
#include "tests/measure/stopping.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"

namespace lprnet::measure {
namespace {

const kernels::KernelTable& reference() {
    return *kernels::find_isa("reference")->table;
}

TEST_CASE("medians and percentiles", "[measure]") {
    CHECK(median({}) == 0.0);
    CHECK(median({3.0}) == 3.0);
    CHECK(median({5.0, 1.0, 3.0}) == 3.0);
    CHECK(median({4.0, 1.0}) == 4.0);
    CHECK(percentile({}, 0.5) == 0.0);
    const std::vector<double> sorted = {1.0, 2.0, 4.0};
    CHECK(percentile(sorted, 0.0) == 1.0);
    CHECK(percentile(sorted, 0.25) == 1.5);
    CHECK(percentile(sorted, 0.5) == 2.0);
    CHECK(percentile(sorted, 0.75) == 3.0);
    CHECK(percentile(sorted, 1.0) == 4.0);
    CHECK(percentile(sorted, -3.0) == 1.0);
    CHECK(percentile(sorted, 7.0) == 4.0);
}

TEST_CASE("latencies of frames in any order", "[measure]") {
    const Latencies none = latencies_of({}, 5.0);
    CHECK(none.frames == 0);
    CHECK(none.frames_per_second == 0.0);
    const Latencies of = latencies_of({3.0, 1.0, 2.0}, 4.0);
    CHECK(of.frames == 3);
    CHECK(of.min_ms == 1.0);
    CHECK(of.mean_ms == 2.0);
    CHECK(of.p50_ms == 2.0);
    CHECK(of.max_ms == 3.0);
    CHECK(of.total_ms == 4.0);
    CHECK(of.frames_per_second == 750.0);
    CHECK(latencies_of({1.0}, 0.0).frames_per_second == 0.0);
}

class Work final : public FrameWork {
public:
    explicit Work(std::atomic<int>& runs, int fails_at = -1) : runs_(runs), fails_at_(fails_at) {}
    Status run() noexcept override {
        if (mine_++ == fails_at_) return Error{ErrorCode::device_failed, "gone"};
        ++runs_;
        return {};
    }

private:
    std::atomic<int>& runs_;
    int fails_at_;
    int mine_ = 0;
};

TEST_CASE("threads share the frames", "[measure][threads]") {
    for (const int threads : {1, 3}) {
        std::atomic<int> runs{0};
        std::vector<std::unique_ptr<Work>> works;
        std::vector<FrameWork*> workers;
        for (int t = 0; t < threads; ++t) {
            works.push_back(std::make_unique<Work>(runs));
            workers.push_back(works.back().get());
        }
        const Result<Latencies> of = throughput(workers, 20, 2);
        REQUIRE(of.ok());
        CHECK(of->frames == 20);
        CHECK(runs.load() == 20 + 2 * threads);
        CHECK(of->min_ms >= 0.0);
        CHECK(of->max_ms <= of->total_ms);
    }
}

TEST_CASE("a thread that fails ends with its error", "[measure][threads]") {
    for (const int fails_at : {0, 1, 5}) {  // in the first, the warmup, the frames
        std::atomic<int> runs{0};
        Work good(runs), bad(runs, fails_at);
        const std::vector<FrameWork*> alone = {&bad};
        const Result<Latencies> of = throughput(alone, 10, 2);
        REQUIRE_FALSE(of.ok());
        CHECK(of.error().message == "gone");
        CHECK(runs.load() == fails_at);
    }
}

TEST_CASE("no threads and no frames are no measurement", "[measure]") {
    std::atomic<int> runs{0};
    Work work(runs);
    const std::vector<FrameWork*> one = {&work};
    CHECK(throughput({}, 10, 0).error().code == ErrorCode::invalid_argument);
    CHECK(throughput(one, 0, 0).error().code == ErrorCode::invalid_argument);
    CHECK(throughput(one, -1, 0).error().code == ErrorCode::invalid_argument);
    CHECK(runs.load() == 0);
}

TEST_CASE("every step has a time", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.1});
    Network network = test::make_network(model, reference());
    const std::vector<double> times = step_times_ms(network, 3, 1);
    REQUIRE(times.size() == network.steps().size());
    for (const double time : times) CHECK(time > 0.0);
    CHECK(step_times_ms(network, 0, 0) == std::vector<double>(times.size(), 0.0));
}

TEST_CASE("direct is left for what is faster by more than noise", "[measure]") {
    const ConvAlgorithm direct, sparse = {0, 0, true}, winograd = {6, 3, false};
    const auto chosen = [&](double first, double second, double third) {
        return fastest_of({{direct, first}, {sparse, second}, {winograd, third}}).algorithm;
    };
    CHECK(chosen(10.0, 11.0, 12.0) == direct);
    CHECK(chosen(10.0, 9.9, 12.0) == direct);
    CHECK(chosen(10.0, 12.0, 9.7) == winograd);
    CHECK(chosen(10.0, 5.0, 6.0) == sparse);
    CHECK(fastest_of({{sparse, 3.0}}).algorithm == sparse);
}

TEST_CASE("tuning measures every algorithm of every shape", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.2});
    const Result<const kernels::KernelTable*> table = select_table("");
    REQUIRE(table.ok());
    test::CountedProgress progress;
    const Result<TuneResult> result = tune(model, **table, 0.0, progress);
    if (!result) FAIL(result.error().message);
    CHECK(result->runs > 0);
    CHECK(progress.done == progress.announced);
    CHECK(result->tuning.isa == (*table)->name);
    CHECK(result->tuning.choices.size() == result->shapes.size());
    const Network network = test::make_network(model, **table);
    for (const StepInfo& step : network.steps()) {
        if (step.op != Op::conv2d) continue;
        const auto timing =
            std::find_if(result->shapes.begin(), result->shapes.end(),
                         [&](const ShapeTiming& of) { return of.shape == step.conv_shape; });
        REQUIRE(timing != result->shapes.end());
        const std::vector<ConvAlgorithm> algorithms = conv_algorithms(step.conv_shape);
        REQUIRE(timing->times.size() == algorithms.size());
        for (std::size_t i = 0; i < algorithms.size(); ++i) {
            CHECK(timing->times[i].algorithm == algorithms[i]);
            CHECK(timing->times[i].us > 0.0);
        }
        CHECK(result->tuning.choices.at(step.conv_shape) == timing->fastest.algorithm);
    }
    // What it says is a tuning.
    const Result<Tuning> parsed = parse_tuning(tuning_text(result->tuning), "made");
    REQUIRE(parsed.ok());
    CHECK(parsed->choices == result->tuning.choices);
}

TEST_CASE("times that are none are refused, and tuning can be stopped", "[measure]") {
    const Model model = test::random_model({.classes = 4, .width = 0.1});
    Progress silent;
    for (const double seconds : {-1.0, std::nan(""), -std::numeric_limits<double>::infinity()}) {
        const Result<TuneResult> result = tune(model, reference(), seconds, silent);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::invalid_argument);
    }
    // However long it would take: each round asks.
    test::CountedProgress progress(1);
    const Result<TuneResult> result =
        tune(model, reference(), std::numeric_limits<double>::infinity(), progress);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().message == stopped().message);
    CHECK(progress.done == 0);
}

}  // namespace
}  // namespace lprnet::measure
