#include "kernels/peak_f32/peak_f32.h"

#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

TEST_CASE("peak_f32 counts the multiply-adds that it makes", "[kernels]") {
    for (const kernels::KernelTable* table : tables_under_test()) {
        float sink = 0.0f;
        std::int64_t once = 0, many = 0;
        table->peak_f32({.rounds = 1, .sink = &sink, .multiply_adds = &once});
        CHECK(once % table->lanes == 0);
        table->peak_f32({.rounds = 100, .sink = &sink, .multiply_adds = &many});
        CHECK(many == 100 * once);
        // Each chain has converged to 1.
        CHECK(sink == static_cast<float>(once / table->lanes));
    }
}

}  // namespace
}  // namespace lprnet::test
