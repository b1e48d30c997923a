// What quantization did to each layer and to the texts.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/compress/quantize.h"
#include "engine/measure/progress.h"
#include "kernels/kernel_table.h"
#include "lprnet/error.h"
#include "lprnet/recognizer.h"

namespace lprnet::measure {

// A layer before and after.
struct LayerChange {
    QuantizedLayer layer;
    std::string type = {}, kernel = {};  // as planned
    // Sums of products and squares over all images. Not a Difference: several sums side by side
    // give a loop that compilers turn into vectors.
    double product = 0, exact = 0, found = 0, error = 0;
    // Relative errors of the logits with this layer alone quantized, and with all but it; this
    // layer's share of the sum of the former's squares. Only with a measurement of the damage.
    double alone = 0, without = 0, share = 0;

    double cosine() const noexcept;
    double relative_error() const noexcept;
};

struct QuantizationReport {
    std::vector<LayerChange> layers;  // the last are the logits
    std::size_t images = 0, texts_changed = 0;
    bool has_damage = false;
    double damage = 0;  // relative error of the logits with every layer quantized
};

using Inputs = std::vector<std::vector<float>>;  // as Recognizer::input(), one for each image

// Both networks on every input, layer by layer: those of `layers`, as quantize() gave them.
// `mismatch` if an input is not of the networks' size or these are not of equal layers.
Result<QuantizationReport> compare_networks(Recognizer& before, Recognizer& after,
                                            const std::vector<QuantizedLayer>& layers,
                                            const Inputs& inputs, Progress& progress) noexcept;

// Layers alone and all but each, over some of the inputs, computed by `table`. Errors as
// measure_damage(), and `mismatch` as above.
Status add_damage(const Model& before, const Model& after, const Inputs& inputs,
                  const kernels::KernelTable& table, QuantizationReport& report) noexcept;

}  // namespace lprnet::measure
