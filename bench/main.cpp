// Micro-benchmarks. Usage: lprnet_bench [--benchmark_filter=conv2d_f32/avx512]
// Rates are GMAC/s; "peak" is the share of the multiply-add peak of the same
// instruction set, measured in the same run.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "bench/bench.h"
#include "kernels/dispatch.h"

namespace lprnet::bench {

std::vector<const kernels::KernelTable*> tables() {
    std::vector<const kernels::KernelTable*> found;
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    for (const kernels::IsaEntry& entry : kernels::all_isas().subspan(1)) {
        if (entry.supported(cpu)) found.push_back(entry.table);
    }
    return found;
}

}  // namespace lprnet::bench

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    const lprnet::Result<lprnet::Model> model = lprnet::Model::builtin();
    if (!model) {
        std::fprintf(stderr, "lprnet_bench: %s\n", model.error().message.c_str());
        return 3;
    }
    lprnet::bench::register_examples();
    for (const char* precision : {"fp32", "int8"}) {
        const lprnet::Result<lprnet::Model> one = lprnet::Model::builtin(precision);
        if (!one) continue;  // the library was built without it
        lprnet::bench::register_kernels(*one);
        lprnet::bench::register_network(*one);
    }
    lprnet::bench::register_decode(*model);
    lprnet::bench::register_image();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
