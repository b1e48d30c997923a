#include "kernels/max_pool2d_f32/max_pool2d_f32.h"

#include "kernels/example.h"
#include "kernels/max_pool2d/max_pool2d_example.h"

namespace lprnet::kernels {

Example max_pool2d_f32_example(const KernelTable& table) {
    Example example;
    float* output = example.memory.add<float>(MaxPool2dExample::output_size);
    auto call = MaxPool2dExample::call<MaxPool2dF32>();
    call.input =
        example.memory.add<float>(WholeNumbers().list(MaxPool2dExample::input_size, -1000, 1000));
    call.output = output;
    set_run(example, table, table.max_pool2d_f32, call);
    set_result(example, output, MaxPool2dExample::output_size);
    return example;
}

}  // namespace lprnet::kernels
