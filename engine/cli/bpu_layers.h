// What a .bin on the BPU gives, for verify: the branches of the context, if it does, and the
// logits.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/measure/verify.h"
#include "lprnet/bpu.h"

namespace lprnet::cli {

class BpuLayers final : public measure::LayerSource {
public:
    // Both have to outlive it. May throw std::bad_alloc.
    BpuLayers(bpu::Recognizer& recognizer, const Model& model);

    Shape input_shape() const override;
    std::vector<Layer> layers() const override;
    bool has_all_layers() const override { return false; }
    Status run(std::span<const float> planes, measure::LayerSink& sink) override;
    std::vector<double> expected(std::size_t layer, std::span<const float> dumped) const override;
    Result<std::string> text() override;

private:
    // A branch, and the layer that it is pooled from, or itself.
    struct Branch {
        const Node* node;
        const Node* source;
    };

    bpu::Recognizer& recognizer_;
    const Model& model_;
    std::vector<Branch> branches_;
};

}  // namespace lprnet::cli
