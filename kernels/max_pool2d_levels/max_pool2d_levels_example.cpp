#include "kernels/max_pool2d_levels/max_pool2d_levels.h"

#include "kernels/example.h"
#include "kernels/max_pool2d/max_pool2d_example.h"

namespace lprnet::kernels {

Example max_pool2d_levels_example(const KernelTable& table) {
    Example example;
    auto call = MaxPool2dExample::call<MaxPool2dLevels>();
    call.input = add_levels(example.memory, table,
                            WholeNumbers().list<int>(MaxPool2dExample::input_size, 0, 255));
    call.output = add_levels(example.memory, table, MaxPool2dExample::output_size);
    set_run(example, table, table.max_pool2d_levels, call);
    set_levels_result(example, table, call.output, MaxPool2dExample::output_size);
    return example;
}

}  // namespace lprnet::kernels
