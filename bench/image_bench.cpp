// Pixels to the input tensor.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "engine/image/preprocess.h"
#include "engine/image_file/image_file.h"
#include "weights/file_bytes.h"

namespace lprnet::bench {
namespace {

void resize_and_normalize(benchmark::State& state, int width, int height) {
    const std::vector<std::uint8_t> pixels(
        static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, 100);
    Result<Preprocessor> preprocessor = Preprocessor::create({});
    if (!preprocessor) {
        state.SkipWithError(preprocessor.error().message.c_str());
        return;
    }
    std::vector<float> output(preprocessor->output_size());
    const ImageView view = {pixels.data(), width, height, std::ptrdiff_t{3} * width,
                            PixelFormat::bgr};
    for (auto _ : state) {
        if (!preprocessor->run(view, output.data())) state.SkipWithError("the picture was refused");
        benchmark::ClobberMemory();
    }
}

// One plate of a frame as a camera gives it: rectified from NV12, whatever the frame's size.
void rectify_and_normalize(benchmark::State& state) {
    constexpr int kWidth = 1920, kHeight = 1080;
    std::vector<std::uint8_t> pixels(image_bytes(PixelFormat::nv12, kHeight, kWidth));
    for (std::size_t i = 0; i < pixels.size(); ++i)
        pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
    Result<Preprocessor> preprocessor = Preprocessor::create({});
    if (!preprocessor) {
        state.SkipWithError(preprocessor.error().message.c_str());
        return;
    }
    std::vector<float> output(preprocessor->output_size());
    const ImageView view = {pixels.data(), kWidth, kHeight, kWidth, PixelFormat::nv12};
    const Quad quad = {{901.5f, 610.25f}, {1102.75f, 640.5f}, {1100.25f, 702.5f}, {899.0f, 668.0f}};
    for (auto _ : state) {
        if (!preprocessor->run(view, quad, output.data())) state.SkipWithError("refused");
        benchmark::ClobberMemory();
    }
}

// A picture file, already in memory, as pixels.
void decode_file(benchmark::State& state, const std::string& path) {
    constexpr std::size_t kMostBytes = 1 << 20;
    const Result<std::vector<std::byte>> file = weights::read_file(path, kMostBytes);
    if (!file) {
        state.SkipWithError(file.error().message.c_str());
        return;
    }
    for (auto _ : state) {
        Result<DecodedImage> image = decode_image(file.value());
        if (!image) state.SkipWithError(image.error().message.c_str());
        benchmark::DoNotOptimize(image);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(file.value().size()));
}

}  // namespace

void register_image() {
    for (const auto& entry : std::filesystem::directory_iterator(LPRNET_SAMPLES_DIR)) {
        const std::string path = entry.path().string();
        if (entry.path().extension() == ".tsv") continue;
        const std::string name = "image/decode_" + entry.path().filename().string();
        benchmark::RegisterBenchmark(name.c_str(), [path](benchmark::State& state) {
            decode_file(state, path);
        })->Unit(benchmark::kMicrosecond);
    }
    benchmark::RegisterBenchmark("image/nv12_quad", rectify_and_normalize)
        ->Unit(benchmark::kMicrosecond);
    constexpr int kSizes[][2] = {{94, 24}, {188, 48}, {440, 140}, {1920, 1080}};
    for (const auto& size : kSizes) {
        const std::string name =
            "image/bgr_" + std::to_string(size[0]) + "x" + std::to_string(size[1]);
        benchmark::RegisterBenchmark(name.c_str(), [size](benchmark::State& state) {
            resize_and_normalize(state, size[0], size[1]);
        })->Unit(benchmark::kMicrosecond);
    }
}

}  // namespace lprnet::bench
