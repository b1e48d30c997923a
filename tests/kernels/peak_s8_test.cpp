#include "kernels/peak_s8/peak_s8.h"

#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

TEST_CASE("peak_s8 counts the multiply-adds that it makes", "[kernels]") {
    for (const kernels::KernelTable* table : tables_under_test()) {
        INFO(table->name);
        float sink = -1.0f;
        std::int64_t once = 0, many = 0;
        table->peak_s8({.rounds = 1, .sink = &sink, .multiply_adds = &once});
        CHECK(once % table->lanes == 0);
        table->peak_s8({.rounds = 100, .sink = &sink, .multiply_adds = &many});
        CHECK(many == 100 * once);
        CHECK(sink != -1.0f);
    }
}

}  // namespace
}  // namespace lprnet::test
