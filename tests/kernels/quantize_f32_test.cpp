// Every table's levels of floats against the reference: equal.
#include "kernels/quantize_f32/quantize_f32.h"

#include <limits>

#include "tests/kernels/levels_buffer.h"
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

using kernels::KernelTable;

std::vector<int> run(const KernelTable& table, GuardedFloats& input, GuardedFloats& multiplier,
                     GuardedFloats& offset) {
    LevelsBuffer out(table, input.size());
    table.quantize_f32({.input = input.data(),
                        .multiplier = multiplier.data(),
                        .offset = offset.data(),
                        .output = out.data(),
                        .period = static_cast<int>(multiplier.size()),
                        .count = static_cast<int>(input.size())});
    CHECK(out.guards_intact());
    return out.values();
}

TEST_CASE("quantize_f32 takes any count and period", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const std::size_t period : {16, 48, 96}) {
            for (std::size_t count = 1; count <= 100; ++count) {
                INFO(table->name << " period " << period << " count " << count);
                std::mt19937 random(static_cast<unsigned>(period * 1000 + count));
                GuardedFloats input(count, count % 16), multiplier(period), offset(period);
                input.fill([&] { return uniform(random, -2.0f, 2.0f); });
                multiplier.fill([&] { return uniform(random, 50.0f, 90.0f); });
                offset.fill([&] { return uniform(random, 100.0f, 150.0f); });
                CHECK(run(*table, input, multiplier, offset) ==
                      run(reference_table(), input, multiplier, offset));
            }
        }
    }
}

TEST_CASE("quantize_f32 rounds to the nearest, ties to even, and saturates", "[kernels]") {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float values[] = {-3e38f, -1.0f,  -0.5f,  0.5f,   0.51f, 1.5f,  2.5f,      253.5f,
                            254.5f, 255.4f, 255.5f, 256.0f, 3e9f,  3e38f, kInfinity, -kInfinity};
    const std::vector<int> expected = {0,   0,   0,   0,   1,   2,   2,   254,
                                       254, 255, 255, 255, 255, 255, 255, 0};
    for (const KernelTable* table : tables_under_test()) {
        // Whole vectors, and what is left behind them.
        for (const std::size_t count : {16, 15}) {
            INFO(table->name << " count " << count);
            GuardedFloats input(count), ones(16), zeros(16);
            std::copy_n(values, count, input.data());
            ones.fill([] { return 1.0f; });
            zeros.fill([] { return 0.0f; });
            const auto end = expected.begin() + static_cast<std::ptrdiff_t>(count);
            CHECK(run(*table, input, ones, zeros) == std::vector<int>(expected.begin(), end));
        }
    }
}

}  // namespace
}  // namespace lprnet::test
