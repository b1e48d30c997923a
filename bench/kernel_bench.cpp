// Each kernel call of LPRNet's plan on its own, and the peak to hold it against.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/bench.h"
#include "engine/compress/prune.h"
#include "engine/model/model_data.h"
#include "engine/model/quantization.h"
#include "engine/plan/step.h"
#include "engine/run/network.h"
#include "kernels/example.h"
#include "kernels/kernel_arguments.h"
#include "kernels/peak_f32/peak_f32.h"
#include "kernels/peak_s8/peak_s8.h"

namespace lprnet::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Best of several short runs, in multiply-adds per second.
double measure_peak(const kernels::KernelTable& table, bool quantized) {
    constexpr std::int64_t kRounds = 200000;
    double best = 0.0;
    for (int i = 0; i < 20; ++i) {
        float sink = 0.0f;
        const Clock::time_point begin = Clock::now();
        std::int64_t count = 0;
        if (quantized) {
            table.peak_s8({.rounds = kRounds, .sink = &sink, .multiply_adds = &count});
        } else {
            table.peak_f32({.rounds = kRounds, .sink = &sink, .multiply_adds = &count});
        }
        benchmark::DoNotOptimize(sink);
        const std::chrono::duration<double> elapsed = Clock::now() - begin;
        best = std::max(best, static_cast<double>(count) / elapsed.count());
    }
    return best;
}

// In float32, or of the products of quantized elements.
double peak_of(const kernels::KernelTable& table, bool quantized) {
    static std::map<std::pair<const kernels::KernelTable*, bool>, double> peaks;
    const auto [it, inserted] = peaks.try_emplace({&table, quantized}, 0.0);
    if (inserted) it->second = measure_peak(table, quantized);
    return it->second;
}

struct BenchedNetwork {
    double zeros;
    Network network;

    const kernels::KernelTable& table() const { return *network.plan().table; }
};

const kernels::KernelCall& call_of(const BenchedNetwork& network, const StepInfo& step) {
    const auto index = &step - network.network.steps().data();
    return network.network.plan().steps[static_cast<std::size_t>(index)].call;
}

std::string name_of(const BenchedNetwork& network, const StepInfo& step) {
    return kernel_name(call_of(network, step).kernel());
}

void count_rate(benchmark::State& state, const BenchedNetwork& network, const StepInfo& step,
                Clock::time_point begin) {
    const std::chrono::duration<double> elapsed = Clock::now() - begin;
    if (step.multiply_accumulates == 0) return;
    // Of the definition: Winograd and sparse, which multiply less, may pass the peak.
    const double rate = static_cast<double>(step.multiply_accumulates) *
                        static_cast<double>(state.iterations()) / elapsed.count();
    state.counters["GMAC/s"] = rate * 1e-9;
    const bool bytes = call_of(network, step).kernel() == kernels::Kernel::conv2d_s8;
    state.counters["peak"] = rate / peak_of(network.table(), bytes);
    if (step.algorithm.sparse) state.counters["real GMAC/s"] = rate * (1.0 - network.zeros) * 1e-9;
}

void register_step(const std::shared_ptr<BenchedNetwork>& network, std::size_t index) {
    const StepInfo& step = network->network.steps()[index];
    const std::string name =
        name_of(*network, step) + "/" + network->table().name + "/" + step.name;
    benchmark::RegisterBenchmark(name.c_str(), [network, index, &step](benchmark::State& state) {
        const Clock::time_point begin = Clock::now();
        for (auto _ : state) {
            network->network.run_step(index);
            benchmark::ClobberMemory();
        }
        count_rate(state, *network, step, begin);
    })->Unit(benchmark::kMicrosecond);
}

// A sparse convolution between two others: from panels to panels, with nothing to transpose.
void register_panels(const std::shared_ptr<BenchedNetwork>& network, const StepInfo& step) {
    const kernels::KernelTable* table = &network->table();
    const auto* planned =
        kernels::arguments_if<kernels::Kernel::conv2d_sparse_f32>(call_of(*network, step));
    if (planned == nullptr || planned->kh * planned->kw > 3 ||
        planned->oc % kernels::kSparseGroup > 0) {
        return;
    }
    const std::string name = name_of(*network, step) + "_panels/" + table->name + "/" + step.name;
    benchmark::RegisterBenchmark(name.c_str(), [network, table, planned,
                                                &step](benchmark::State& state) {
        kernels::Conv2dSparseF32 call = *planned;
        call.pixels = call.oh * call.ow;
        const kernels::AlignedBuffer input(kernels::sparse_panels(*table, call.ic, call.pixels));
        kernels::AlignedBuffer output(kernels::sparse_panels(*table, call.oc, call.pixels));
        kernels::AlignedBuffer scratch(
            kernels::conv2d_sparse_f32_scratch(*table, call.oc, call.ic, call.kh, call.kw));
        call.input = input.data();
        call.output = output.data();
        call.scratch = scratch.data();
        call.input_panels = call.output_panels = true;
        const Clock::time_point begin = Clock::now();
        for (auto _ : state) {
            table->conv2d_sparse_f32(call);
            benchmark::ClobberMemory();
        }
        count_rate(state, *network, step, begin);
    })->Unit(benchmark::kMicrosecond);
}

// What a layer's weights take when a model is loaded.
void register_winograd_weights(const std::shared_ptr<BenchedNetwork>& network,
                               const StepInfo& step) {
    if (!step.algorithm.winograd()) return;
    const kernels::KernelTable* table = &network->table();
    const std::string name = std::string("winograd_weights_f32/") + table->name + "/" + step.name;
    benchmark::RegisterBenchmark(name.c_str(), [table, &step](benchmark::State& state) {
        const ConvShape& s = step.conv_shape;
        const ConvAlgorithm& algorithm = step.algorithm;
        const int taps = std::max(s.kh, s.kw);
        const std::vector<float> weights(static_cast<std::size_t>(s.oc * s.ic * taps), 1.0f);
        const std::vector<float> bias(static_cast<std::size_t>(s.oc));
        kernels::AlignedBuffer packed(kernels::packed_conv1d_winograd_f32_weights(
            *table, s.oc, s.ic, taps, algorithm.points, algorithm.tile));
        std::vector<float> packed_bias(kernels::packed_conv2d_f32_bias(*table, s.oc));
        for (auto _ : state) {
            kernels::pack_conv1d_winograd_f32(*table, {weights.data()}, bias.data(), s.oc, s.ic,
                                              taps, algorithm.points, algorithm.tile, packed.data(),
                                              packed_bias.data());
            benchmark::ClobberMemory();
        }
    })->Unit(benchmark::kMicrosecond);
}

// The weights of a quantized network as float32: what they stand for, in the same units.
void make_weights_float(Graph& graph) {
    for (Node& node : graph.nodes) {
        if (!node.quantized() || node.keeps_float()) continue;
        node.weight = real_weights(node);
        node.quantized_weight = {};
        node.weight_scale.clear();
    }
}

// The layers as planned, then those with a choice by the direct kernel, then all with zeros.
struct Variant {
    const char* forced;
    double zeros;  // share of each layer's weights
};
constexpr Variant kVariants[] = {{"", 0.0}, {"direct", 0.0}, {"sparse", 0.35}};

void register_variant(const Model& model, const kernels::KernelTable& table,
                      const Variant& variant) {
    Graph graph = model.data().graph;
    if (variant.zeros > 0.0) {
        PruneOptions zeros;
        zeros.amount = variant.zeros;
        if (!prune(graph, zeros)) return;  // any share between 0 and 1 can be pruned
    }
    PlanOptions options;
    ConvAlgorithm algorithm;
    if (parse_algorithm(variant.forced, algorithm)) options.tuning.every = algorithm;
    Result<Network> planned = Network::create(std::move(graph), table, options);
    if (!planned) return;  // the built-in model has a plan on every table; tested
    auto network =
        std::make_shared<BenchedNetwork>(BenchedNetwork{variant.zeros, std::move(*planned)});
    network->network.run();
    for (std::size_t s = 0; s < network->network.steps().size(); ++s) {
        const StepInfo& step = network->network.steps()[s];
        const bool planned_so =
            variant.zeros == 0.0 && default_algorithm(step.conv_shape, table) == algorithm;
        if (options.tuning.every && (step.op != Op::conv2d || planned_so)) continue;
        register_step(network, s);
        if (algorithm.sparse) register_panels(network, step);
        if (*variant.forced == '\0') register_winograd_weights(network, step);
    }
}

// A quantized network's convolutions, were all their weights kept in float32.
void register_levels(const Model& model, const kernels::KernelTable& table) {
    Graph graph = model.data().graph;
    make_weights_float(graph);
    Result<Network> planned = Network::create(std::move(graph), table);
    if (!planned) return;  // as above
    auto network = std::make_shared<BenchedNetwork>(BenchedNetwork{0.0, std::move(*planned)});
    network->network.run();
    for (std::size_t s = 0; s < network->network.steps().size(); ++s) {
        const StepInfo& step = network->network.steps()[s];
        if (step.op == Op::conv2d && step.output.has_levels()) register_step(network, s);
    }
}

}  // namespace

void register_examples() {
    for (const kernels::KernelTable* table : tables()) {
        for (const kernels::ExampleRow& row : kernels::all_examples()) {
            const std::string name = std::string(row.name) + "/" + table->name + "/example";
            benchmark::RegisterBenchmark(name.c_str(), [table, &row](benchmark::State& state) {
                const kernels::Example example = row.make(*table);
                for (auto _ : state) {
                    example.run({});
                    benchmark::ClobberMemory();
                }
            })->Unit(benchmark::kMicrosecond);
        }
    }
}

void register_kernels(const Model& model) {
    const bool quantized = model.data().graph.quantized();
    for (const kernels::KernelTable* table : tables()) {
        const std::string peak = (quantized ? "peak_s8/" : "peak_f32/") + std::string(table->name);
        benchmark::RegisterBenchmark(peak.c_str(), [table, quantized](benchmark::State& state) {
            for (auto _ : state) benchmark::DoNotOptimize(measure_peak(*table, quantized));
            state.counters["GMAC/s"] = peak_of(*table, quantized) * 1e-9;
        })->Iterations(1);

        for (const Variant& variant : kVariants) {
            if (quantized && *variant.forced != '\0') continue;  // no choice there
            register_variant(model, *table, variant);
        }
        if (quantized) register_levels(model, *table);
    }
}

}  // namespace lprnet::bench
