// Every table's max pool of levels against the reference: equal.
#include "kernels/max_pool2d_levels/max_pool2d_levels.h"

#include "tests/kernels/levels_buffer.h"
#include "tests/kernels/tables.h"

namespace lprnet::test {
namespace {

using kernels::KernelTable;

void check(const KernelTable& table, const kernels::MaxPool2dLevels& shape) {
    INFO(table.name << " " << shape.oh << "x" << shape.ow << " ic " << shape.ic << " oc "
                    << shape.oc);
    std::mt19937 random(static_cast<unsigned>(shape.ow * 7 + shape.ic));
    const std::ptrdiff_t iw = (shape.ow - 1) * shape.stride_w + shape.kw;
    const std::ptrdiff_t ih = (shape.oh - 1) * shape.stride_h + shape.kh;
    const std::vector<int> input =
        random_levels(random, static_cast<std::size_t>(ih * iw * shape.ic));
    const auto run = [&](const KernelTable& t) {
        LevelsBuffer in(t, input);
        LevelsBuffer out(t, static_cast<std::size_t>(shape.oh * shape.ow * shape.oc));
        kernels::MaxPool2dLevels call = shape;
        call.input = in.data();
        call.input_row = iw * shape.ic;
        call.output = out.data();
        call.output_row = std::ptrdiff_t{shape.ow} * shape.oc;
        t.max_pool2d_levels(call);
        CHECK(out.guards_intact());
        return out.values();
    };
    CHECK(run(table) == run(reference_table()));
}

TEST_CASE("max_pool2d_levels is the maximum of its window", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        std::vector<int> channels = {128, 200};
        for (int oc = 1; oc <= 67; ++oc) channels.push_back(oc);
        for (const int oc : channels) {
            for (const int stride : {1, 2}) {
                kernels::MaxPool2dLevels shape = {};
                shape.oh = 4;
                shape.ow = 9;
                shape.ic = oc + 2;
                shape.oc = oc;
                shape.kh = shape.kw = 3;
                shape.stride_h = 1;
                shape.stride_w = stride;
                shape.channel_stride = 1;
                check(*table, shape);
                shape.kw = 2;
                shape.stride_h = 2;
                check(*table, shape);
                shape.ic = 2 * oc;
                shape.channel_stride = 2;
                check(*table, shape);
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::test
