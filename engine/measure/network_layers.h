// The layers of a network on the CPU, for verify().
#pragma once

#include <string>
#include <vector>

#include "engine/measure/verify.h"
#include "engine/run/network.h"

namespace lprnet::measure {

// What `network` computes step by step, but for the branches of the context, which it has in
// another order than PyTorch. Both have to outlive it.
class NetworkLayers final : public LayerSource {
public:
    // May throw std::bad_alloc.
    NetworkLayers(Network& network, const Model& model);

    Shape input_shape() const override { return network_.plan().input.shape; }
    std::vector<Layer> layers() const override;
    bool has_all_layers() const override { return true; }
    Status run(std::span<const float> planes, LayerSink& sink) override;
    std::vector<double> expected(std::size_t layer, std::span<const float> dumped) const override;
    Result<std::string> text() override { return greedy_text(network_.logits(), model_); }

private:
    Network& network_;
    const Model& model_;
    std::vector<std::size_t> steps_;  // of the layers
};

}  // namespace lprnet::measure
