// The global context's branches against the reference table.
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

using kernels::ContextTapF32;
using kernels::KernelTable;

struct Case {
    int oh, ow, channels;
    int kh = 1, kw = 1;
    int stride_h = 1, stride_w = 1;
    int column_gap = 0;
};

// Non-negative inputs, as after a ReLU: then nothing cancels, and the relative error
// is that of the longest sum (all squares), plus those of the window and the column.
void check(const KernelTable& table, const Case& c) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " channels " << c.channels << " window "
                    << c.kh << "x" << c.kw);
    const int ih = (c.oh - 1) * c.stride_h + c.kh;
    const int iw = (c.ow - 1) * c.stride_w + c.kw;
    const std::ptrdiff_t input_row = std::ptrdiff_t{iw} * c.channels + 5;
    const std::ptrdiff_t column = c.channels + c.column_gap;
    std::mt19937 random(11);
    GuardedFloats input(static_cast<std::size_t>(ih * input_row), 2);
    input.fill([&] { return uniform(random, 0.0f, 3.0f); });
    const auto size = static_cast<std::size_t>(c.ow * column - c.column_gap);
    GuardedFloats found(size, 7);
    GuardedFloats expected(size);
    ContextTapF32 call = {.input = input.data(),
                          .input_row = input_row,
                          .output = found.data(),
                          .output_column = column,
                          .oh = c.oh,
                          .ow = c.ow,
                          .channels = c.channels,
                          .kh = c.kh,
                          .kw = c.kw,
                          .stride_h = c.stride_h,
                          .stride_w = c.stride_w};
    table.context_tap_f32(call);
    call.output = expected.data();
    reference_table().context_tap_f32(call);
    CHECK(found.guards_intact());

    const auto terms =
        static_cast<std::size_t>(c.oh * c.ow * c.channels + 3 * (c.kh * c.kw + c.oh) + 8);
    const double relative = sum_error_bound(terms, 1.0);
    for (int x = 0; x < c.ow; ++x) {
        for (std::ptrdiff_t i = 0; i < column; ++i) {
            const auto at = static_cast<std::size_t>(x * column + i);
            if (at >= size) break;
            if (i >= c.channels) {
                CHECK(std::isnan(found[at]));
            } else if (!(std::abs(double{found[at]} - double{expected[at]}) <=
                         relative * std::abs(double{expected[at]}))) {
                FAIL("output " << at << " is " << found[at] << ", expected " << expected[at]
                               << " within a share of " << relative);
            }
        }
    }
}

TEST_CASE("context_tap_f32 computes the branches of LPRNet", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        check(*table, {4, 18, 64, 5, 5, 5, 5, 452});
        check(*table, {4, 18, 128, 5, 5, 5, 5, 388});
        check(*table, {4, 18, 256, 4, 10, 4, 2, 260});
        check(*table, {4, 18, 68, 1, 1, 1, 1, 448});
    }
}

TEST_CASE("context_tap_f32 takes any number of channels", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int c = 1; c <= 5 * table->lanes + 1; ++c) check(*table, {2, 3, c, 2, 3, 1, 2, 4});
    }
}

TEST_CASE("context_tap_f32 of zeros is zero", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        GuardedFloats input(4 * 6 * 20);
        input.fill([] { return 0.0f; });
        GuardedFloats output(6 * 20);
        const ContextTapF32 call = {.input = input.data(),
                                    .input_row = 6 * 20,
                                    .output = output.data(),
                                    .output_column = 20,
                                    .oh = 4,
                                    .ow = 6,
                                    .channels = 20,
                                    .kh = 1,
                                    .kw = 1,
                                    .stride_h = 1,
                                    .stride_w = 1};
        table->context_tap_f32(call);
        for (std::size_t i = 0; i < output.size(); ++i) CHECK(output[i] == 0.0f);
    }
}

}  // namespace
}  // namespace lprnet::test
