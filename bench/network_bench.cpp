// The whole network and the whole read.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "lprnet/recognizer.h"

namespace lprnet::bench {
namespace {

struct Reader {
    explicit Reader(Recognizer r) : recognizer(std::move(r)) {
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
        }
    }
    ImageView view() const { return {pixels.data(), 94, 24, 94 * 3, PixelFormat::bgr}; }

    Recognizer recognizer;
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(94 * 24 * 3);
    Reading reading;
};

}  // namespace

void register_network(const Model& model) {
    for (const kernels::KernelTable* table : tables()) {
        RecognizerOptions options;
        options.isa = table->name;
        Result<Recognizer> recognizer = Recognizer::create(model, options);
        if (!recognizer) continue;
        auto reader = std::make_shared<Reader>(std::move(*recognizer));
        if (!reader->recognizer.set_image(reader->view())) continue;
        reader->recognizer.infer();
        const std::string isa = table->name;
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
    }
}

}  // namespace lprnet::bench
