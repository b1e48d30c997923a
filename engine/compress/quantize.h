// Static int8: weights of a byte with a step for each output channel, activations of a byte with
// a step for each layer's output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/model_data.h"
#include "lprnet/error.h"
#include "weights/safetensors.h"

namespace lprnet {

// How far a layer's activations go before they saturate.
enum class ClipMethod {
    max,         // the largest value seen
    percentile,  // 99.99 % of the values
    mse,         // least squares of the rounding and clipping errors
};

// What a layer became, for the report.
struct QuantizedLayer {
    std::string name;   // the PyTorch module whose output it computes
    float largest = 0;  // activation seen
    float clip = 0;     // 255 steps
};

struct QuantizedModel {
    // The tensors of the file, in memory of their own.
    struct Tensor {
        std::string name;
        std::vector<std::int64_t> shape;
        std::vector<std::int8_t> int8;  // or
        std::vector<float> f32;
    };
    std::vector<Tensor> tensors;
    std::vector<QuantizedLayer> layers;

    // For serialize_safetensors and write_safetensors; looks at `tensors`.
    std::vector<weights::TensorView> views() const;
};

// Calibrates on `inputs`: the network's normalised inputs, NHWC, of one image or more. Every
// convolution but the one behind the context gets quantised, that one's weights alone are stored
// as int8. Batch norms and the normalisation of pixels go into the weights.
// Errors: invalid_argument for no input or inputs without any activation, unsupported for a model
// that is quantised already. May throw std::bad_alloc.
Result<QuantizedModel> quantize(const ModelData& model,
                                const std::vector<std::vector<float>>& inputs, ClipMethod method);

// Weights as int8 and nothing else: the network is computed in float32. Other tensors of `file`
// are kept.
Result<QuantizedModel> quantize_weights(const weights::SafetensorsFile& file,
                                        const ModelData& model);

}  // namespace lprnet
