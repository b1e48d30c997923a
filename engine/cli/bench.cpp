#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "engine/cli/backend_option.h"
#include "engine/cli/json_line.h"
#include "engine/cli/model_option.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/run/network.h"
#include "engine/text/printable.h"
#include "kernels/cpu_features.h"

namespace lprnet::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct BenchOptions {
    ModelOption model;
    BackendOption backend;
    std::vector<int> threads = {1};
    int intra = 1;
    int frames = 200;
    int warmup = 20;
    bool per_layer = false;
    bool include_image = false;
    bool json = false;
};

double milliseconds(Clock::duration d) {
    return std::chrono::duration<double, std::milli>(d).count();
}

// Pixels without meaning: the time does not depend on them.
std::vector<std::uint8_t> noise_image(std::size_t size) {
    std::vector<std::uint8_t> pixels(size);
    std::uint32_t state = 1;
    for (std::uint8_t& pixel : pixels) {
        state = state * 1664525U + 1013904223U;
        pixel = static_cast<std::uint8_t>(state >> 24);
    }
    return pixels;
}

struct NoisePicture {
    std::vector<std::uint8_t> pixels;
    ImageView view;
};

NoisePicture network_sized_picture(const Model& model) {
    NoisePicture picture;
    const int width = model.input_width();
    const int height = model.input_height();
    constexpr int kBytes = 3;
    picture.pixels =
        noise_image(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * kBytes);
    picture.view = {picture.pixels.data(), width, height, std::ptrdiff_t{kBytes} * width,
                    PixelFormat::bgr};
    return picture;
}

struct Measurement {
    int threads = 0;
    int frames = 0;
    double total_ms = 0.0;
    std::vector<double> latencies_ms;  // sorted

    double percentile(double p) const {
        const double position = p * static_cast<double>(latencies_ms.size() - 1);
        const auto below = static_cast<std::size_t>(position);
        const std::size_t above = std::min(below + 1, latencies_ms.size() - 1);
        const double part = position - static_cast<double>(below);
        return latencies_ms[below] * (1.0 - part) + latencies_ms[above] * part;
    }
    double mean() const {
        return std::accumulate(latencies_ms.begin(), latencies_ms.end(), 0.0) /
               static_cast<double>(latencies_ms.size());
    }
    double frames_per_second() const { return frames * 1e3 / total_ms; }
};

// Threads take frames from one counter until all are done, each with a recognizer of its own.
Result<Measurement> measure(AnyRecognizer& first, const NoisePicture& picture, int threads,
                            const BenchOptions& options) {
    std::vector<AnyRecognizer> clones;
    for (int t = 1; t < threads; ++t) {
        Result<AnyRecognizer> clone = first.clone();
        if (!clone) return clone.error();
        clones.push_back(std::move(*clone));
    }
    // By picture; made before the threads, which have no way to say that there is no memory.
    std::vector<double> latencies(static_cast<std::size_t>(options.frames));
    std::vector<Status> failures(static_cast<std::size_t>(threads));
    std::atomic<int> ready{0};
    enum class Phase { wait, run, stop };
    std::atomic<Phase> phase{Phase::wait};
    std::atomic<int> next{0};
    const auto work = [&](std::size_t t) {
        AnyRecognizer& recognizer = t == 0 ? first : clones[t - 1];
        Reading reading;
        Status& failed = failures[t];
        const auto one = [&] {
            if (!failed) return;
            if (options.include_image) failed = recognizer.set_image(picture.view);
            if (failed) failed = recognizer.infer();
            if (failed && options.include_image) failed = recognizer.decode(reading);
        };
        failed = recognizer.set_image(picture.view);
        for (int i = 0; i < options.warmup; ++i) one();
        ready.fetch_add(1);
        while (phase.load() == Phase::wait) std::this_thread::yield();
        if (phase.load() == Phase::stop) return;
        for (int i = next.fetch_add(1); i < options.frames; i = next.fetch_add(1)) {
            const Clock::time_point begin = Clock::now();
            one();
            latencies[static_cast<std::size_t>(i)] = milliseconds(Clock::now() - begin);
        }
    };
    std::vector<std::thread> workers;
    workers.reserve(static_cast<std::size_t>(threads));
    try {
        for (std::size_t t = 0; t < static_cast<std::size_t>(threads); ++t)
            workers.emplace_back(work, t);
    } catch (...) {
        phase.store(Phase::stop);
        for (std::thread& worker : workers) worker.join();
        return Error{ErrorCode::out_of_memory, "bench: " + std::to_string(workers.size()) + " of " +
                                                   std::to_string(threads) +
                                                   " threads can be started"};
    }
    while (ready.load() < threads) std::this_thread::yield();
    const Clock::time_point begin = Clock::now();
    phase.store(Phase::run);
    for (std::thread& worker : workers) worker.join();
    for (const Status& failed : failures)
        if (!failed) return failed.error();

    Measurement result;
    result.threads = threads;
    result.frames = options.frames;
    result.total_ms = milliseconds(Clock::now() - begin);
    result.latencies_ms = std::move(latencies);
    std::sort(result.latencies_ms.begin(), result.latencies_ms.end());
    return result;
}

struct LayerTime {
    const StepInfo* step;
    double milliseconds;  // median
};

std::vector<LayerTime> measure_layers(Recognizer& recognizer, const NoisePicture& picture,
                                      const BenchOptions& options) {
    Network& network = recognizer.network();
    const std::vector<StepInfo>& steps = network.steps();
    (void)recognizer.set_image(picture.view);
    std::vector<std::vector<double>> times(steps.size());
    // More tell nothing new about a median, and have to be kept.
    constexpr int kMostFrames = 10000;
    for (int i = -options.warmup; i < std::min(options.frames, kMostFrames); ++i) {
        for (std::size_t s = 0; s < steps.size(); ++s) {
            const Clock::time_point begin = Clock::now();
            network.run_step(s);
            if (i >= 0) times[s].push_back(milliseconds(Clock::now() - begin));
        }
    }
    std::vector<LayerTime> layers;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        const auto middle = times[s].begin() + static_cast<std::ptrdiff_t>(times[s].size() / 2);
        std::nth_element(times[s].begin(), middle, times[s].end());
        layers.push_back({&steps[s], *middle});
    }
    return layers;
}

double rate(const LayerTime& layer) {  // GMAC/s
    return static_cast<double>(layer.step->multiply_accumulates) / (layer.milliseconds * 1e6);
}

void print_layers(const std::vector<LayerTime>& layers) {
    double sum = 0.0;
    for (const LayerTime& layer : layers) sum += layer.milliseconds;
    std::vector<std::vector<std::string>> rows = {{"layer", "kernel", "us", "GMAC/s", "share %"}};
    for (const LayerTime& layer : layers) {
        rows.push_back({layer.step->name, layer.step->kernel, fixed(layer.milliseconds * 1e3, 1),
                        layer.step->multiply_accumulates == 0 ? "-" : fixed(rate(layer), 1),
                        fixed(100.0 * layer.milliseconds / sum, 1)});
    }
    rows.push_back({"all", "", fixed(sum * 1e3, 1), "", ""});
    std::puts("\nMedian of each layer:");
    print_table(rows, {true, true, false, false, false});
}

void print_text(const Measurement& m, const BenchOptions& options, const Model& model,
                const char* isa) {
    std::printf("Threads            %d, %d for each picture\n", m.threads, options.intra);
    std::printf("Frames             %d\n", m.frames);
    std::printf("Measured           %s, %s, %s\n", model.precision(), isa,
                options.include_image ? "pixels to text" : "network only");
    std::printf("Total time         %.3f ms\n", m.total_ms);
    std::printf("Average latency    %.4f ms\n", m.mean());
    std::printf("Frame rate         %.1f FPS\n", m.frames_per_second());
    std::printf("Latency            min %.4f  p50 %.4f  p90 %.4f  p99 %.4f  max %.4f ms\n",
                m.latencies_ms.front(), m.percentile(0.50), m.percentile(0.90), m.percentile(0.99),
                m.latencies_ms.back());
}

// The table that ports of LPRNet to this board publish.
void print_bpu_table(const std::vector<Measurement>& measurements, const BenchOptions& options,
                     const bpu::Recognizer& recognizer) {
    std::vector<std::vector<std::string>> rows = {{"threads", "latency ms", "FPS"}};
    for (const Measurement& m : measurements)
        rows.push_back(
            {std::to_string(m.threads), fixed(m.mean(), 2), fixed(m.frames_per_second(), 2)});
    print_table(rows, {false, false, false});
    std::printf("\n%d frames each, %s; %s, runtime %s\n", options.frames,
                options.include_image ? "pixels to text" : "input tensor to logits",
                printable(recognizer.bin()).c_str(),
                printable(recognizer.runtime_version()).c_str());
}

Json to_json(const Measurement& m, const std::vector<LayerTime>& layers,
             const BenchOptions& options, const Model& model, const AnyRecognizer& recognizer) {
    Json json = {{"precision", recognizer.precision(model)},
                 {"isa", recognizer.isa()},
                 {"backend", recognizer.backend()},
                 {"threads", m.threads},
                 {"intra", options.intra},
                 {"frames", m.frames},
                 {"latency_ms",
                  {{"min", m.latencies_ms.front()},
                   {"mean", m.mean()},
                   {"p50", m.percentile(0.50)},
                   {"p90", m.percentile(0.90)},
                   {"p99", m.percentile(0.99)},
                   {"max", m.latencies_ms.back()}}},
                 {"fps", m.frames_per_second()},
                 {"include_image", options.include_image},
                 {"model", model.name()},
                 {"cpu", kernels::cpu_brand().text}};
    if (!layers.empty()) {
        Json& rows = json["layers"] = Json::array();
        for (const LayerTime& layer : layers) {
            rows.push_back({{"name", layer.step->name},
                            {"kernel", layer.step->kernel},
                            {"ms", layer.milliseconds},
                            {"gmacs", rate(layer)}});
        }
    }
    return json;
}

ExitStatus run(const BenchOptions& options) {
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    Result<AnyRecognizer> recognizer = options.backend.open(options.model, *model, options.intra);
    if (!recognizer) return fail(recognizer.error());
    if (recognizer->is_bpu() && (options.per_layer || options.intra > 1)) {
        print_error("the BPU has neither --intra nor --per-layer");
        return kWrongUsage;
    }
    const NoisePicture picture = network_sized_picture(*model);
    if (Status status = recognizer->set_image(picture.view); !status) return fail(status.error());

    std::vector<LayerTime> layers;
    if (options.per_layer) layers = measure_layers(*recognizer->cpu(), picture, options);
    std::vector<Measurement> measurements;
    Json all = Json::array();
    for (const int threads : options.threads) {
        Result<Measurement> measurement = measure(*recognizer, picture, threads, options);
        if (!measurement) return fail(measurement.error());
        if (options.json) {
            all.push_back(to_json(*measurement, layers, options, *model, *recognizer));
        } else if (recognizer->is_bpu()) {
            measurements.push_back(std::move(*measurement));
        } else {
            if (threads != options.threads.front()) std::puts("");
            print_text(*measurement, options, *model, recognizer->isa());
        }
    }
    if (options.json) {
        print_json_line(all);
    } else if (recognizer->is_bpu()) {
        print_bpu_table(measurements, options, *recognizer->bpu());
    } else if (!layers.empty()) {
        print_layers(layers);
    }
    if (Status closed = recognizer->close(); !closed) return fail(closed.error());
    return kDone;
}

}  // namespace

Verb add_bench(CLI::App& app) {
    auto options = std::make_shared<BenchOptions>();
    options->model.add_to(app);
    options->backend.add_to(app);
    app.add_option("--threads,--thread_num", options->threads,
                   "Threads reading independent frames, such as 1,2,4")
        ->delimiter(',')
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_option("--intra", options->intra, "Threads sharing each picture")
        ->check(CLI::Range(1, kMaxThreads))
        ->capture_default_str();
    app.add_option("--frames,--frame_count", options->frames, "Frames in all")
        ->check(CLI::Range(1, 100000000))
        ->capture_default_str();
    app.add_option("--warmup", options->warmup, "Frames for each thread before the clock starts")
        ->check(CLI::Range(0, 1000000))
        ->capture_default_str();
    app.add_flag("--per-layer", options->per_layer, "Also the median time of each layer");
    app.add_flag("--include-image", options->include_image,
                 "Measure from pixels of network size to text instead of the network alone");
    app.add_flag("-j,--json", options->json, "One JSON array");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
