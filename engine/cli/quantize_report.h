// What lprnet quantize says about each layer and about the whole.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/cli/evaluation.h"
#include "engine/compress/quantize.h"
#include "kernels/kernel_table.h"
#include "lprnet/recognizer.h"

namespace lprnet::cli {

// A layer before and after.
struct LayerReport {
    QuantizedLayer layer;
    std::string type = {}, kernel = {};  // as planned
    // Sums of products and squares over all calibration images.
    double product = 0, exact = 0, found = 0, error = 0;
    // Relative errors of the logits with this layer alone quantized, and with all but it; this
    // layer's share of the sum of the former's squares. Only with a measurement of the damage.
    double alone = 0, without = 0, share = 0;

    double cosine() const;
    double relative_error() const;
};

struct QuantizeReport {
    std::vector<LayerReport> layers;  // the last are the logits
    bool has_damage = false;
    double damage = 0;  // relative error of the logits with every layer quantized
    std::size_t images = 0, texts_changed = 0;
    std::size_t bytes_before = 0, bytes_after = 0;
    std::vector<Evaluation> evaluations;  // before and after, if there were labelled images
};

// Both networks on every input, layer by layer. The one error is `out_of_memory`.
Status compare_networks(Recognizer& before, Recognizer& after,
                        const std::vector<std::vector<float>>& inputs, QuantizeReport& report);

// Layers alone and all but each, over some of the inputs. Errors as measure_damage.
Status add_damage(const Model& before, const Model& after,
                  const std::vector<std::vector<float>>& inputs, const kernels::KernelTable& table,
                  QuantizeReport& report);

// `method` is for people and scripts.
void print_json(const QuantizeReport& report, const Model& model, const std::string& output,
                const std::string& method);
void print_text(const QuantizeReport& report, const std::string& output);

}  // namespace lprnet::cli
