#include "engine/measure/network_layers.h"

namespace lprnet::measure {

NetworkLayers::NetworkLayers(Network& network, const Model& model)
    : network_(network), model_(model) {
    for (std::size_t s = 0; s < network.steps().size(); ++s) {
        const Op op = network.steps()[s].op;
        if (op != Op::context_tap && op != Op::concat) steps_.push_back(s);
    }
}

std::vector<LayerSource::Layer> NetworkLayers::layers() const {
    std::vector<Layer> layers;
    for (const std::size_t s : steps_) {
        const StepInfo& step = network_.steps()[s];
        layers.push_back({step.name, step.name, step.shape});
    }
    return layers;
}

Status NetworkLayers::run(std::span<const float> planes, LayerSink& sink) {
    network_.set_input_planes(planes);
    std::vector<double> values;
    std::size_t layer = 0;
    for (std::size_t s = 0; s < network_.steps().size(); ++s) {
        network_.run_step(s);
        if (layer == steps_.size() || steps_[layer] != s) continue;
        // Now: later steps write over it.
        if (sink.wants(layer)) {
            network_.read_output(s, values);
            sink.take(layer, values);
        }
        ++layer;
    }
    return {};
}

std::vector<double> NetworkLayers::expected(std::size_t /*layer*/,
                                            std::span<const float> dumped) const {
    return {dumped.begin(), dumped.end()};
}

}  // namespace lprnet::measure
