// The groups of benchmarks, registered at run time because the instruction sets
// are only known then.
#pragma once

#include <vector>

#include "kernels/kernel_table.h"
#include "lprnet/model.h"

namespace lprnet::bench {

// The tables that this CPU can run, "reference" left out: it is slow on purpose.
std::vector<const kernels::KernelTable*> tables();

// kernel/isa/example: every row of kernels.inc, whatever the plans of today call.
void register_examples();
// kernel/isa/layer: every step of LPRNet's plan, with shapes from the model, in float32 or int8 as
// it is.
void register_kernels(const Model& model);
// network/isa, with the ending _int8 for such a model: one forward pass; read/isa: pixels to text;
// frame.../isa: ten plates of a camera's frame to text.
void register_network(const Model& model);
// decode/...: logits to text.
void register_decode(const Model& model);
// image/...: pixels to the input tensor.
void register_image();

}  // namespace lprnet::bench
