// Static int8: weights of a byte with a step for each output channel, activations of a byte with
// a step for each layer's output.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "engine/compress/activation_ranges.h"
#include "engine/model/model_data.h"
#include "kernels/kernel_table.h"
#include "lprnet/error.h"
#include "weights/float16.h"
#include "weights/safetensors.h"

namespace lprnet {

// What a layer became, for the report.
struct QuantizedLayer {
    std::string name;          // the PyTorch module whose output it computes
    float largest = 0;         // activation seen
    float clip = 0;            // 255 steps; 0: the outputs are not quantized
    bool keeps_float = false;  // weights
};

// Layers by the name of the module whose output they compute, as reports have it, or by that of
// their convolution in the file.
using LayerNames = std::set<std::string, std::less<>>;

struct QuantizedModel {
    // The tensors of the file, in memory of their own.
    struct Tensor {
        std::string name;
        std::vector<std::int64_t> shape;
        std::variant<std::vector<float>, std::vector<weights::Float16>, std::vector<std::int8_t>,
                     std::vector<std::uint8_t>, std::vector<std::int64_t>>
            values;
    };
    std::vector<Tensor> tensors;
    // Convolutions whose outputs are quantized, and the one that computes the logits.
    std::vector<QuantizedLayer> layers;

    // For serialize_safetensors and write_safetensors; looks at `tensors`.
    std::vector<weights::TensorView> views() const;
};

struct QuantizeMethod {
    ClipMethod clip = ClipMethod::mse;
    // Steps of each channel's own, as far as the channel goes.
    bool equalise = true;
    // Weights and biases by least squares of each layer's error, not to the nearest.
    bool reconstruct = true;
    // Weights below this share of the largest of their output channel become zero, 0..1: those of
    // pruned networks cost little, because the others are fitted to make up for them, and make the
    // file smaller.
    double zero_below = 0.0;
    // Layers whose weights stay float32 as they are. Their inputs and outputs are quantized, and
    // their biases fitted, as those of the others.
    LayerNames keep_float = {};
    // What computes; null: what is best for this CPU.
    const kernels::KernelTable* table = nullptr;
};

// Calibrates on `inputs`: the network's normalized inputs, NHWC, of one image or more. Every
// convolution but the one behind the context gets quantized, that one's weights alone are stored
// as int8. Batch norms and the normalization of pixels go into the weights.
// Errors: invalid_argument for no input, inputs without any activation or a layer to keep that does
// not exist, naming those that do; unsupported for a model that is quantized already;
// out_of_memory.
Result<QuantizedModel> quantize(const ModelData& model,
                                const std::vector<std::vector<float>>& inputs,
                                const QuantizeMethod& method = {}) noexcept;

// Weights as int8 and nothing else: the network is computed in float32. Other tensors of `file`,
// and the weights of the layers `keep_float`, are kept.
Result<QuantizedModel> quantize_weights(const weights::SafetensorsFile& file,
                                        const ModelData& model,
                                        const LayerNames& keep_float = {}) noexcept;

}  // namespace lprnet
