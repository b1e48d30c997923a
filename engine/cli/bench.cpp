#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/boundary.h"
#include "engine/cli/backend_option.h"
#include "engine/cli/html_option.h"
#include "engine/cli/json_line.h"
#include "engine/cli/model_option.h"
#include "engine/cli/process.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/measure/throughput.h"
#include "engine/report/layers_page.h"
#include "engine/text/printable.h"
#include "kernels/cpu_features.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using measure::Latencies;

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
    HtmlOption html;
};

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

// One picture after the other with a recognizer that holds one already.
class BenchWork final : public measure::FrameWork {
public:
    BenchWork(AnyRecognizer& recognizer, const ImageView& picture, bool include_image)
        : recognizer_(recognizer), picture_(picture), include_image_(include_image) {}

    Status run() noexcept override {
        return guarded([this]() -> Status {
            Status status;
            if (include_image_) status = recognizer_.set_image(picture_);
            if (status) status = recognizer_.infer();
            if (status && include_image_) status = recognizer_.decode(reading_);
            return status;
        });
    }

private:
    AnyRecognizer& recognizer_;
    ImageView picture_;
    bool include_image_;
    Reading reading_;
};

// Of so many threads, each with a recognizer of its own.
Result<Latencies> measure_threads(AnyRecognizer& first, const ImageView& picture, int threads,
                                  const BenchOptions& options) {
    std::vector<AnyRecognizer> clones;
    for (int t = 1; t < threads; ++t) {
        Result<AnyRecognizer> clone = first.clone();
        if (!clone) return clone.error();
        if (Status set = clone->set_image(picture); !set) return set.error();
        clones.push_back(std::move(*clone));
    }
    std::vector<BenchWork> works;
    works.emplace_back(first, picture, options.include_image);
    for (AnyRecognizer& clone : clones) works.emplace_back(clone, picture, options.include_image);
    std::vector<measure::FrameWork*> workers;
    for (BenchWork& work : works) workers.push_back(&work);
    return measure::throughput(workers, options.frames, options.warmup);
}

struct LayerTime {
    const StepInfo* step;
    double milliseconds;  // median
};

std::vector<LayerTime> measure_layers(Network& network, const BenchOptions& options) {
    const std::vector<double> times =
        measure::step_times_ms(network, options.frames, options.warmup);
    std::vector<LayerTime> layers;
    for (std::size_t s = 0; s < times.size(); ++s)
        layers.push_back({&network.steps()[s], times[s]});
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

void print_text(int threads, const Latencies& times, const BenchOptions& options,
                const Model& model, const char* isa) {
    std::printf("Threads            %d, %d for each picture\n", threads, options.intra);
    std::printf("Frames             %d\n", options.frames);
    std::printf("Measured           %s, %s, %s\n", model.precision(), isa,
                options.include_image ? "pixels to text" : "network only");
    std::printf("Total time         %.3f ms\n", times.total_ms);
    std::printf("Average latency    %.4f ms\n", times.mean_ms);
    std::printf("Frame rate         %.1f FPS\n", times.frames_per_second);
    std::printf("Latency            min %.4f  p50 %.4f  p90 %.4f  p99 %.4f  max %.4f ms\n",
                times.min_ms, times.p50_ms, times.p90_ms, times.p99_ms, times.max_ms);
}

// The table that ports of LPRNet to this board publish.
void print_bpu_table(const std::vector<Latencies>& times, const BenchOptions& options,
                     const bpu::Recognizer& recognizer) {
    std::vector<std::vector<std::string>> rows = {{"threads", "latency ms", "FPS"}};
    for (std::size_t i = 0; i < times.size(); ++i)
        rows.push_back({std::to_string(options.threads[i]), fixed(times[i].mean_ms, 2),
                        fixed(times[i].frames_per_second, 2)});
    print_table(rows, {false, false, false});
    std::printf("\n%d frames each, %s; %s, runtime %s\n", options.frames,
                options.include_image ? "pixels to text" : "input tensor to logits",
                printable(recognizer.bin()).c_str(),
                printable(recognizer.runtime_version()).c_str());
}

Json to_json(int threads, const Latencies& times, const std::vector<LayerTime>& layers,
             const BenchOptions& options, const Model& model, const AnyRecognizer& recognizer) {
    Json json = {{"precision", recognizer.precision(model)},
                 {"isa", recognizer.isa()},
                 {"backend", recognizer.backend()},
                 {"threads", threads},
                 {"intra", options.intra},
                 {"frames", options.frames},
                 {"latency_ms",
                  {{"min", times.min_ms},
                   {"mean", times.mean_ms},
                   {"p50", times.p50_ms},
                   {"p90", times.p90_ms},
                   {"p99", times.p99_ms},
                   {"max", times.max_ms}}},
                 {"fps", times.frames_per_second},
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

void print_all(const std::vector<Latencies>& times, const std::vector<LayerTime>& layers,
               const BenchOptions& options, const Model& model, AnyRecognizer& recognizer) {
    if (options.json) {
        Json all = Json::array();
        for (std::size_t i = 0; i < times.size(); ++i)
            all.push_back(
                to_json(options.threads[i], times[i], layers, options, model, recognizer));
        print_json_line(all);
    } else if (recognizer.is_bpu()) {
        print_bpu_table(times, options, *recognizer.bpu());
    } else if (!layers.empty()) {
        print_layers(layers);
    }
}

Status write_html(const std::vector<Latencies>& times, const std::vector<LayerTime>& layers,
                  const BenchOptions& options, const Model& model,
                  const AnyRecognizer& recognizer) {
    if (!options.html) return {};
    std::vector<report::TimedThreads> rows;
    for (std::size_t i = 0; i < times.size(); ++i) rows.push_back({options.threads[i], times[i]});
    std::vector<report::TimedLayer> chart;
    for (const LayerTime& layer : layers)
        chart.push_back({layer.step->name, layer.step->kernel, layer.milliseconds, rate(layer)});
    return report::write_bench_page(
        options.html.path,
        {{"model", model.name()},
         {"precision", recognizer.precision(model)},
         {"instruction set", recognizer.isa()},
         {"CPU", kernels::cpu_brand().text},
         {"frames", std::to_string(options.frames)},
         {"threads for each picture", std::to_string(options.intra)},
         {"measured", options.include_image ? "pixels to text" : "network only"}},
        rows, chart);
}

// One for each count of threads; each is printed as soon as it is there, but for JSON.
Result<std::vector<Latencies>> measure_all(AnyRecognizer& recognizer, const ImageView& picture,
                                           const Model& model, const BenchOptions& options) {
    std::vector<Latencies> times;
    for (const int threads : options.threads) {
        Result<Latencies> measured = measure_threads(recognizer, picture, threads, options);
        if (!measured) return measured.error();
        times.push_back(std::move(*measured));
        if (options.json || recognizer.is_bpu()) continue;
        if (times.size() > 1) std::puts("");
        print_text(threads, times.back(), options, model, recognizer.isa());
    }
    return times;
}

ExitStatus run(const BenchOptions& options) {
    if (Status path = options.html.check(); !path) return fail(path.error());
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    Result<AnyRecognizer> recognizer =
        options.backend.open(options.model, *model, {}, options.intra);
    if (!recognizer) return fail(recognizer.error());
    if (recognizer->is_bpu() && (options.per_layer || options.intra > 1)) {
        print_error("the BPU has neither --intra nor --per-layer");
        return kWrongUsage;
    }
    const NoisePicture picture = network_sized_picture(*model);
    if (Status status = recognizer->set_image(picture.view); !status) return fail(status.error());

    std::vector<LayerTime> layers;
    if (options.per_layer || (options.html && !recognizer->is_bpu()))
        layers = measure_layers(recognizer->cpu()->network(), options);
    const auto times = measure_all(*recognizer, picture.view, *model, options);
    if (!times) return fail(times.error());
    print_all(*times, layers, options, *model, *recognizer);
    const Status written = write_html(*times, layers, options, *model, *recognizer);
    if (Status closed = recognizer->close(); !closed) return fail(closed.error());
    if (!written) return fail(written.error());
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
    options->html.add_to(app);
    app.add_flag("-j,--json", options->json, "One JSON array");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
