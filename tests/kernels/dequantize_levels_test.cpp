// Every table's floats of levels: the products themselves.
#include "kernels/dequantize_levels/dequantize_levels.h"

#include "tests/kernels/levels_buffer.h"
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

TEST_CASE("dequantize_levels takes every level, any channels and pixels", "[kernels]") {
    for (const kernels::KernelTable* table : tables_under_test()) {
        for (int channels = 1; channels <= 2 * table->lanes + 1; ++channels) {
            for (const int pixels : {1, 2, 28, 300}) {
                INFO(table->name << " " << channels << " channels, " << pixels << " pixels");
                const auto count = static_cast<std::size_t>(channels * pixels);
                std::mt19937 random(static_cast<unsigned>(channels));
                std::vector<int> levels = random_levels(random, count);
                for (std::size_t i = 0; i < count && i < 256; ++i) levels[i] = static_cast<int>(i);
                LevelsBuffer input(*table, levels);
                GuardedFloats scale(static_cast<std::size_t>(channels)), output(count, 1);
                scale.fill([&] { return uniform(random, 1e-6f, 3.0f); });
                table->dequantize_levels({.input = input.data(),
                                          .scale = scale.data(),
                                          .output = output.data(),
                                          .channels = channels,
                                          .pixels = pixels});
                CHECK(output.guards_intact());
                for (std::size_t i = 0; i < count; ++i) {
                    const float product = static_cast<float>(levels[i]) * scale[i % scale.size()];
                    if (output[i] != product)
                        FAIL("number " << i << " is " << output[i] << ", expected " << product);
                }
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::test
