#include "kernels/peak_f32/peak_f32.h"

#include "kernels/example.h"

namespace lprnet::kernels {

// Rounds by the count of multiply-adds, which is as large as the table's vectors.
Example peak_f32_example(const KernelTable& table) {
    Example example;
    auto* sink = example.memory.add<float>(1);
    auto* counts = example.memory.add<std::int64_t>(2);
    example.run = [&table, sink, counts](const Part& part) {
        if (part.index > 0) return;
        table.peak_f32({.rounds = 1, .sink = sink, .multiply_adds = &counts[0]});
        table.peak_f32({.rounds = 1000, .sink = sink, .multiply_adds = &counts[1]});
    };
    example.result = [counts] {
        return std::vector<double>{static_cast<double>(counts[1]) / static_cast<double>(counts[0])};
    };
    return example;
}

}  // namespace lprnet::kernels
