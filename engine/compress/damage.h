// What the quantization of each layer does to the logits, it alone and all but it, to tell which
// layer the accuracy is lost in.
#pragma once

#include <vector>

#include "engine/model/model_data.h"
#include "kernels/kernel_table.h"
#include "lprnet/error.h"

namespace lprnet {

// Relative errors of the logits over some images: the norm of the difference over that of the
// exact ones.
struct Damage {
    double all = 0.0;  // every layer quantized
    struct LayerDamage {
        double alone = 0.0;    // this layer quantized
        double without = 0.0;  // every layer but this
    };
    std::vector<LayerDamage> layers;  // by Node::layer
};

// Computed by `table` in float32 with a quantized layer's weights, or those that it kept, its
// outputs rounded as they would be. `quantized` was made from `exact`; `inputs` as for quantize.
// Takes two passes over the inputs for each layer. Errors as from build_plan. May throw
// std::bad_alloc.
Result<Damage> measure_damage(const ModelData& exact, const ModelData& quantized,
                              const std::vector<std::vector<float>>& inputs,
                              const kernels::KernelTable& table);

}  // namespace lprnet
