// The whole network and the whole read.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "engine/model/model_data.h"
#include "lprnet/recognizer.h"

namespace lprnet::bench {
namespace {

struct ReadBench {
    explicit ReadBench(Recognizer r) : recognizer(std::move(r)) {
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
        }
    }
    ImageView view() const { return {pixels.data(), 94, 24, 94 * 3, PixelFormat::bgr}; }

    Recognizer recognizer;
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(94 * 24 * 3);
    Reading reading;
};

// A frame as a camera gives it, with ten plates at an angle, each about 200 pixels wide.
struct Street {
    static constexpr int kWidth = 1920, kHeight = 1080;

    Street() {
        for (std::size_t i = 0; i < pixels.size(); ++i)
            pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
        for (int i = 0; i < 10; ++i) {
            const float x = 60.5f + 370.0f * static_cast<float>(i % 5);
            const float y = 210.25f + 430.0f * static_cast<float>(i / 5);
            quads.push_back({{x, y}, {x + 201, y + 30}, {x + 199, y + 92}, {x - 2, y + 58}});
        }
    }
    ImageView view() const { return {pixels.data(), kWidth, kHeight, kWidth, PixelFormat::nv12}; }

    std::vector<std::uint8_t> pixels =
        std::vector<std::uint8_t>(image_bytes(PixelFormat::nv12, kHeight, kWidth));
    std::vector<Quad> quads;
};

void read_street(benchmark::State& state, ReadBench& reader) {
    const Street street;
    for (auto _ : state) {
        for (const Quad& quad : street.quads) {
            if (!reader.recognizer.read(street.view(), quad, reader.reading))
                state.SkipWithError("a plate could not be read");
        }
    }
}

}  // namespace

void register_network(const Model& model) {
    for (const kernels::KernelTable* table : tables()) {
        RecognizerOptions options;
        options.isa = table->name;
        Result<Recognizer> recognizer = Recognizer::create(model, options);
        if (!recognizer) continue;
        auto reader = std::make_shared<ReadBench>(std::move(*recognizer));
        if (!reader->recognizer.set_image(reader->view())) continue;
        reader->recognizer.infer();
        const std::string isa =
            table->name + std::string(model.data().graph.quantized() ? "_int8" : "");
        benchmark::RegisterBenchmark(("network/" + isa).c_str(), [reader](benchmark::State& state) {
            for (auto _ : state) {
                reader->recognizer.infer();
                benchmark::ClobberMemory();
            }
        })->Unit(benchmark::kMicrosecond);
        benchmark::RegisterBenchmark(("read/" + isa).c_str(), [reader](benchmark::State& state) {
            for (auto _ : state) {
                if (!reader->recognizer.read(reader->view(), reader->reading)) {
                    state.SkipWithError("the picture could not be read");
                }
            }
        })->Unit(benchmark::kMicrosecond);
        benchmark::RegisterBenchmark(
            ("frame_nv12_1920x1080_ten_quads/" + isa).c_str(),
            [reader](benchmark::State& state) { read_street(state, *reader); })
            ->Unit(benchmark::kMicrosecond);
    }
}

}  // namespace lprnet::bench
