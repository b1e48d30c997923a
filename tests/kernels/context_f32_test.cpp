// The global context's branches and their scaling against the reference table.
#include "kernels/context_f32/context_f32.h"
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

using kernels::ContextScaleF32;
using kernels::ContextTapF32;
using kernels::KernelTable;

struct Case {
    int oh, ow, channels;
    int kh = 1, kw = 1;
    int stride_h = 1, stride_w = 1;
    int column_gap = 0;
};

double sum_of(GuardedFloats& values) {
    double sum = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += double{values[i]};
    return sum;
}

// Non-negative inputs, as after a ReLU: then nothing cancels, and the relative error is that
// of the sums over the window and the column.
void check(const KernelTable& table, const Case& c) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " channels " << c.channels << " window "
                    << c.kh << "x" << c.kw);
    const int ih = (c.oh - 1) * c.stride_h + c.kh;
    const int iw = (c.ow - 1) * c.stride_w + c.kw;
    const std::ptrdiff_t input_row = std::ptrdiff_t{iw} * c.channels + 5;
    const std::ptrdiff_t column = c.channels + c.column_gap;
    std::mt19937 random(11);
    GuardedFloats input(static_cast<std::size_t>(ih * input_row - 5), 2);
    input.fill([&] { return uniform(random, 0.0f, 3.0f); });
    const auto size = static_cast<std::size_t>(c.ow * column - c.column_gap);
    GuardedFloats found(size, 7);
    GuardedFloats expected(size);
    const auto squares_of = [&](const KernelTable& t) {
        return GuardedFloats(
            static_cast<std::size_t>(kernels::context_squares(t.lanes, c.channels)), 3);
    };
    GuardedFloats squares = squares_of(table);
    GuardedFloats expected_squares = squares_of(reference_table());
    ContextTapF32 call = {.input = input.data(),
                          .input_row = input_row,
                          .output = found.data(),
                          .output_column = column,
                          .squares = squares.data(),
                          .oh = c.oh,
                          .ow = c.ow,
                          .channels = c.channels,
                          .channels_used = c.channels,
                          .kh = c.kh,
                          .kw = c.kw,
                          .stride_h = c.stride_h,
                          .stride_w = c.stride_w};
    table.context_tap_f32(call);
    call.output = expected.data();
    call.squares = expected_squares.data();
    reference_table().context_tap_f32(call);
    CHECK(found.guards_intact());
    CHECK(squares.guards_intact());

    const double relative = sum_error_bound(static_cast<std::size_t>(c.kh * c.kw + c.oh + 8), 1.0);
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
    const double total = sum_of(expected_squares);
    const auto terms = static_cast<std::size_t>(2 * c.kh * c.kw + c.oh * c.ow * table.lanes + 8);
    CHECK(std::abs(sum_of(squares) - total) <= sum_error_bound(terms, total));

    // A call for the first channels writes exactly what the call for all of them does.
    GuardedFloats first(size);
    GuardedFloats first_squares = squares_of(table);
    call.channels_used = std::min(c.channels, table.lanes);
    call.output = first.data();
    call.squares = first_squares.data();
    table.context_tap_f32(call);
    CHECK(first_squares[0] == squares[0]);
    for (int x = 0; x < c.ow; ++x) {
        for (int i = 0; i < call.channels_used; ++i) {
            const auto at = static_cast<std::size_t>(x * column + i);
            CHECK(first[at] == found[at]);
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

TEST_CASE("context_tap_f32 takes windows that overlap in any way", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int kw = 1; kw <= 20; ++kw) {
            for (int stride = 1; stride <= 6; ++stride) {
                check(*table, {2, 5, table->lanes + 1, 3, kw, 2, stride});
            }
        }
    }
}

TEST_CASE("context_scale_f32 divides every branch by its mean square", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        INFO(table->name);
        constexpr int kColumns = 7;
        ContextScaleF32 call = {.column = 0, .ow = kColumns, .branches = 4};
        int squares_count = 0;
        for (int b = 0; b < call.branches; ++b) {
            call.channels[b] = b * table->lanes + 3;
            call.values[b] = 100 + b;
            call.column += call.channels[b];
            squares_count += kernels::context_squares(table->lanes, call.channels[b]);
        }
        std::mt19937 random(3);
        GuardedFloats data(static_cast<std::size_t>(kColumns * call.column), 3);
        GuardedFloats squares(static_cast<std::size_t>(squares_count));
        data.fill([&] { return uniform(random, 0.0f, 2.0f); });
        squares.fill([&] { return uniform(random, 0.5f, 2.0f); });
        // The third branch is all zeros.
        int zeros = 0;
        for (int b = 0; b < 2; ++b)
            zeros += kernels::context_squares(table->lanes, call.channels[b]);
        for (int i = 0; i < kernels::context_squares(table->lanes, call.channels[2]); ++i) {
            squares[static_cast<std::size_t>(zeros + i)] = 0.0f;
        }
        std::vector<double> expected;
        for (int x = 0; x < kColumns; ++x) {
            std::size_t group = 0;
            std::size_t at = static_cast<std::size_t>(x * call.column);
            for (int b = 0; b < call.branches; ++b) {
                double total = 0.0;
                for (int i = 0; i < kernels::context_squares(table->lanes, call.channels[b]); ++i)
                    total += double{squares[group++]};
                for (int c = 0; c < call.channels[b]; ++c) {
                    expected.push_back(total > 0.0 ? double{data[at]} * call.values[b] / total
                                                   : 0.0);
                    ++at;
                }
            }
        }
        call.data = data.data();
        call.squares = squares.data();
        table->context_scale_f32(call);
        CHECK(data.guards_intact());
        for (std::size_t i = 0; i < data.size(); ++i) {
            if (!(std::abs(double{data[i]} - expected[i]) <= 3 * kUnit * std::abs(expected[i])))
                FAIL("value " << i << " is " << data[i] << ", expected " << expected[i]);
        }
    }
}

}  // namespace
}  // namespace lprnet::test
