// Logits to text, for plates and for a picture that shows none, on which the network is least sure
// and the search has most to do.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "engine/decode/text_decoder.h"

namespace lprnet::bench {
namespace {

// As the network writes plates: a peak at each character and blanks between them, over what it
// gives to the others. Like the shipped weights on labelled crops the likeliest class of a time
// step is 26 above the mean, and the others spread by 6 around it.
std::vector<float> plate_logits(const Model& model, std::uint32_t seed) {
    const auto time_steps = static_cast<std::size_t>(model.steps());
    const std::size_t classes = model.charset().size();
    std::vector<float> logits(time_steps * classes);
    const auto next = [&seed] { return (seed = seed * 1664525U + 1013904223U) >> 8; };
    const auto uniform = [&] { return static_cast<float>(next()) / 16777216.0f; };
    // Of 18 time steps every second one bears a character: 京A12345 and so on, by the charset of
    // cn68.
    for (float& x : logits) x = 10.0f * (uniform() + uniform() + uniform() + uniform() - 2.0f);
    for (std::size_t t = 0; t < time_steps; ++t) {
        std::size_t label = static_cast<std::size_t>(model.blank());
        if (t % 2 == 0 && t < 14) {
            const std::size_t first = t == 0 ? 0 : t == 2 ? 41 : 31;
            const std::size_t count = t == 0 ? 31 : t == 2 ? 24 : 10;
            label = first + next() % count;
        }
        logits[t * classes + label % classes] += 26.0f;
    }
    return logits;
}

std::vector<float> noise_logits(const Model& model, std::uint32_t seed) {
    std::vector<float> logits = plate_logits(model, seed);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        logits[i] = 8.0f * std::sin(static_cast<float>(i * (seed + 1)));
    }
    return logits;
}

void add(const std::string& name, const Model& model, const DecodeOptions& options, bool noise) {
    Result<TextDecoder> decoder = TextDecoder::create(model, options);
    if (!decoder) return;
    auto shared = std::make_shared<TextDecoder>(std::move(*decoder));
    std::vector<std::vector<float>> inputs;
    for (std::uint32_t seed = 0; seed < 16; ++seed) {
        inputs.push_back(noise ? noise_logits(model, seed) : plate_logits(model, seed));
    }
    benchmark::RegisterBenchmark(name.c_str(), [shared, inputs](benchmark::State& state) {
        Reading reading;
        std::size_t i = 0;
        for (auto _ : state) {
            shared->decode(inputs[i], reading);
            benchmark::DoNotOptimize(reading.confidence);
            i = (i + 1) % inputs.size();
        }
    })->Unit(benchmark::kMicrosecond);
}

}  // namespace

void register_decode(const Model& model) {
    for (const bool noise : {false, true}) {
        const std::string prefix = noise ? "decode/noise/" : "decode/plate/";
        add(prefix + "greedy", model, {.decoder = Decoder::greedy}, noise);
        for (const int candidates : {1, 10}) {
            const std::string n = "/n" + std::to_string(candidates);
            add(prefix + "beam" + n, model, {.decoder = Decoder::beam, .candidates = candidates},
                noise);
            add(prefix + "grammar" + n, model,
                {.decoder = Decoder::grammar, .candidates = candidates}, noise);
        }
    }
    // What set_decoding() costs: the formats parsed and made an automaton.
    benchmark::RegisterBenchmark("decode/create/grammar", [model](benchmark::State& state) {
        for (auto _ : state) {
            const auto decoder = TextDecoder::create(model, {.decoder = Decoder::grammar});
            if (!decoder) state.SkipWithError(decoder.error().message.c_str());
        }
    })->Unit(benchmark::kMicrosecond);
}

}  // namespace lprnet::bench
