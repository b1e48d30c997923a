// Every table's context of levels against the reference: equal in every bit.
#include "kernels/context_levels/context_levels.h"

#include <cmath>

#include "tests/kernels/levels_buffer.h"
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

using kernels::KernelTable;

struct Case {
    int oh, ow, channels, kh, kw, stride_h, stride_w;
};

// With `factors` some channels have larger scales than others.
void check(const KernelTable& table, const Case& c, int fixed = -1, bool factors = false) {
    INFO(table.name << " channels " << c.channels << " window " << c.kh << "x" << c.kw);
    std::mt19937 random(static_cast<unsigned>(c.ow * 7 + c.channels));
    const std::ptrdiff_t iw = (c.ow - 1) * c.stride_w + c.kw;
    const std::ptrdiff_t ih = (c.oh - 1) * c.stride_h + c.kh;
    std::vector<int> input(static_cast<std::size_t>(ih * iw * c.channels));
    for (int& q : input) q = fixed >= 0 ? fixed : random_below(random, 256);
    std::vector<std::uint32_t> square_factors;
    std::vector<float> channel_factors;
    for (int i = 0; i < c.channels; ++i) {
        const int exponent = fixed >= 0 ? 8 : random_below(random, 9);
        square_factors.push_back(1U << (2 * exponent));
        channel_factors.push_back(std::ldexp(1.0f, exponent - 8));
    }
    const auto run = [&](const KernelTable& t) {
        LevelsBuffer in(t, input);
        const std::ptrdiff_t column = c.channels + 3;
        std::vector<std::int32_t> sums(static_cast<std::size_t>(column * c.ow), -7);
        std::int64_t squares[2] = {-1, -1};
        // In two calls, as two threads would.
        const int first = c.channels / 2;
        kernels::ContextTapLevels call = {
            .input = in.data(),
            .input_row = iw * c.channels,
            .sums = sums.data(),
            .sums_column = column,
            .squares = &squares[0],
            .oh = c.oh,
            .ow = c.ow,
            .channels = c.channels,
            .channels_used = first,
            .kh = c.kh,
            .kw = c.kw,
            .stride_h = c.stride_h,
            .stride_w = c.stride_w,
            .square_factors = factors ? square_factors.data() : nullptr};
        t.context_tap_levels(call);
        call.input = static_cast<char*>(in.data()) + first * t.levels.bytes;
        call.sums += first;
        call.squares = &squares[1];
        if (factors) call.square_factors += first;
        call.channels_used = c.channels - first;
        t.context_tap_levels(call);
        for (int x = 0; x < c.ow; ++x) {
            for (int gap = 0; gap < 3; ++gap) {
                CHECK(sums[static_cast<std::size_t>(x * column + c.channels + gap)] == -7);
            }
        }
        const kernels::ContextScaleLevels scale = {
            .data = sums.data(),
            .column = column,
            .squares = squares,
            .ow = c.ow,
            .branches = 1,
            .channels = {c.channels},
            .parts = {2},
            .gains = {12345.678},
            .channel_factors = {factors ? channel_factors.data() : nullptr}};
        std::vector<std::int32_t> before = sums;
        t.context_scale_levels(scale);
        // Float bits, so that equality is that of every bit.
        before.insert(before.end(), sums.begin(), sums.end());
        before.push_back(static_cast<std::int32_t>((squares[0] + squares[1]) % 1000000007));
        return before;
    };
    CHECK(run(table) == run(reference_table()));
}

TEST_CASE("context_tap_levels and context_scale_levels are exact", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const bool factors : {false, true}) {
            check(*table, {4, 18, 64, 5, 5, 5, 5}, -1, factors);
            check(*table, {4, 18, 128, 5, 5, 5, 5}, -1, factors);
            check(*table, {4, 18, 256, 4, 10, 4, 2}, -1, factors);
            check(*table, {4, 18, 68, 1, 1, 1, 1}, -1, factors);
            check(*table, {3, 7, 37, 3, 4, 2, 3}, -1, factors);
            check(*table, {2, 3, 5, 8, 16, 1, 1}, 255, factors);
            check(*table, {2, 3, 70, 4, 10, 4, 2}, 0, factors);
        }
    }
}

}  // namespace
}  // namespace lprnet::test
