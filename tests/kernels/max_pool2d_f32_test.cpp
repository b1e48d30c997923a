// Max pool against the reference table: no arithmetic happens, so equality.
#include <string>

#include "kernels/max_pool2d_f32/max_pool2d_f32.h"
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

using kernels::KernelTable;
using kernels::MaxPool2dF32;

struct Case {
    int oh, ow, ic, oc;
    int kh = 3, kw = 3;
    int stride_h = 1, stride_w = 1;
    int channel_stride = 1;
    int gap = 0;
};

void check(const KernelTable& table, const Case& c, float low = -2.0f, float high = 2.0f) {
    INFO(table.name << " " << c.oh << "x" << c.ow << " ic " << c.ic << " oc " << c.oc << " window "
                    << c.kh << "x" << c.kw << " strides " << c.stride_h << " " << c.stride_w << " "
                    << c.channel_stride);
    const int ih = (c.oh - 1) * c.stride_h + c.kh;
    const int iw = (c.ow - 1) * c.stride_w + c.kw;
    const std::ptrdiff_t input_row = std::ptrdiff_t{iw} * c.ic + c.gap;
    const std::ptrdiff_t output_row = std::ptrdiff_t{c.ow} * c.oc + c.gap;
    std::mt19937 random(7);
    GuardedFloats input(static_cast<std::size_t>(ih * input_row - c.gap), 3);
    input.fill([&] { return uniform(random, low, high); });
    const auto size = static_cast<std::size_t>(c.oh * output_row - c.gap);
    GuardedFloats found(size, 5);
    GuardedFloats expected(size);
    MaxPool2dF32 call = {.input = input.data(),
                         .input_row = input_row,
                         .output = found.data(),
                         .output_row = output_row,
                         .oh = c.oh,
                         .ow = c.ow,
                         .ic = c.ic,
                         .oc = c.oc,
                         .kh = c.kh,
                         .kw = c.kw,
                         .stride_h = c.stride_h,
                         .stride_w = c.stride_w,
                         .channel_stride = c.channel_stride};
    table.max_pool2d_f32(call);
    call.output = expected.data();
    reference_table().max_pool2d_f32(call);
    CHECK(found.guards_intact());
    for (int y = 0; y < c.oh; ++y) {
        for (std::ptrdiff_t i = 0; i < output_row; ++i) {
            const auto at = static_cast<std::size_t>(y * output_row + i);
            if (at >= size) break;
            const bool gap = i >= std::ptrdiff_t{c.ow} * c.oc;
            if (gap ? !std::isnan(found[at]) : found[at] != expected[at]) {
                FAIL("output " << at << " is " << found[at] << ", expected " << expected[at]);
            }
        }
    }
}

TEST_CASE("max_pool2d_f32 computes the pools of LPRNet", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        check(*table, {20, 90, 64, 64});
        check(*table, {18, 44, 128, 64, 3, 3, 1, 2, 2});
        check(*table, {16, 21, 256, 64, 3, 3, 1, 2, 4});
        // of a spatial transformer
        check(*table, {11, 46, 32, 32, 2, 2, 2, 2});
        check(*table, {2, 14, 32, 32, 3, 3, 3, 3});
        // with the kept channels sorted to the front
        check(*table, {18, 44, 128, 64, 3, 3, 1, 2, 1});
        check(*table, {16, 21, 256, 64, 3, 3, 1, 2, 1});
    }
}

TEST_CASE("max_pool2d_f32 takes any channels, windows and strides", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (int c = 1; c <= 5 * table->lanes + 1; ++c)
            check(*table, {2, 3, c, c, 2, 3, 2, 1, 1, 9});
        for (int stride = 2; stride <= 5; ++stride) {
            for (int oc = 1; oc <= 9; ++oc) {
                check(*table, {2, 3, (oc - 1) * stride + 1, oc, 3, 2, 1, 3, stride});
                check(*table, {2, 3, oc * stride, oc, 3, 2, 1, 3, stride});
            }
        }
        check(*table, {1, 1, 7, 7, 1, 1});
        // by strips, whose last vector may begin before the last channels
        for (int c = 1; c <= 3 * table->lanes + 1; ++c) {
            for (const int stride_w : {1, 2})
                check(*table, {2, 5, c + 2, c, 3, 3, 1, stride_w, 1, 2});
        }
        // by strips and, at the edges of that, by windows
        for (int stride_w = 1; stride_w <= 3; ++stride_w) {
            for (int kw = 2; kw <= 4; ++kw) {
                for (int kh = 1; kh <= 4; ++kh) {
                    const int c = 4 * table->lanes + 1;
                    check(*table, {3, 1, c, c, kh, kw, 2, stride_w, 1, 2});
                    check(*table, {1, 9, c, c, kh, kw, 1, stride_w, 1, 2});
                    check(*table, {3, 6, c + 3, c, kh, kw, 1, stride_w, 1, 2});
                }
            }
        }
    }
}

TEST_CASE("max_pool2d_f32 of negative values is not zero", "[kernels]") {
    for (const KernelTable* table : tables_under_test())
        check(*table, {3, 4, 70, 70}, -9.0f, -8.0f);
}

}  // namespace
}  // namespace lprnet::test
