#include "engine/cli/bpu_layers.h"

#include "engine/model/model_data.h"

namespace lprnet::cli {
namespace {

// [c][h][w] as the BPU's [h][w][c].
template <class T>
std::vector<double> channels_last(std::span<const T> planes, std::size_t channels) {
    const std::size_t plane = planes.size() / channels;
    std::vector<double> values;
    for (std::size_t i = 0; i < planes.size(); ++i)
        values.push_back(static_cast<double>(planes[i % channels * plane + i / channels]));
    return values;
}

// Means of [c][h][w] under the windows of a pooling.
std::vector<double> pooled(std::span<const float> planes, const Node& pool, const Shape& from) {
    std::vector<double> means;
    for (int c = 0; c < pool.shape.c; ++c) {
        for (int y = 0; y < pool.shape.h; ++y) {
            for (int x = 0; x < pool.shape.w; ++x) {
                double sum = 0.0;
                for (int i = 0; i < pool.window.h * pool.window.w; ++i) {
                    const int row = y * pool.stride.h + i / pool.window.w;
                    const int column = x * pool.stride.w + i % pool.window.w;
                    sum += static_cast<double>(
                        planes[static_cast<std::size_t>((c * from.h + row) * from.w + column)]);
                }
                means.push_back(sum / (pool.window.h * pool.window.w));
            }
        }
    }
    return means;
}

void give(measure::LayerSink& sink, std::size_t layer, std::span<const float> values) {
    if (sink.wants(layer)) sink.take(layer, std::vector<double>(values.begin(), values.end()));
}

}  // namespace

BpuLayers::BpuLayers(bpu::Recognizer& recognizer, const Model& model)
    : recognizer_(recognizer), model_(model) {
    if (recognizer.branches().empty()) return;
    const Graph& graph = model.data().graph;
    for (const Node& node : graph.nodes) {
        if (node.op != Op::normalize) continue;
        const Node& branch = graph.nodes[static_cast<std::size_t>(node.inputs.front())];
        const bool is_pooled = branch.op == Op::average_pool;
        branches_.push_back(
            {&branch,
             is_pooled ? &graph.nodes[static_cast<std::size_t>(branch.inputs.front())] : &branch});
    }
}

Shape BpuLayers::input_shape() const {
    return model_.data().graph.input_shape();
}

std::vector<measure::LayerSource::Layer> BpuLayers::layers() const {
    std::vector<Layer> layers;
    for (const Branch& branch : branches_) {
        layers.push_back(
            {"branch" + std::to_string(layers.size()), branch.source->name, branch.source->shape});
    }
    layers.push_back({"logits", "logits", model_.data().graph.output_shape()});
    return layers;
}

Status BpuLayers::run(std::span<const float> planes, measure::LayerSink& sink) {
    const std::vector<double> pixels =
        channels_last(planes, static_cast<std::size_t>(input_shape().c));
    if (Status s = recognizer_.set_input(std::vector<float>(pixels.begin(), pixels.end())); !s)
        return s;
    if (Status s = recognizer_.infer(); !s) return s;
    for (std::size_t b = 0; b < branches_.size(); ++b) give(sink, b, recognizer_.branches()[b]);
    give(sink, branches_.size(), recognizer_.logits());
    return {};
}

std::vector<double> BpuLayers::expected(std::size_t layer, std::span<const float> dumped) const {
    if (layer == branches_.size()) return channels_last(dumped, model_.charset().size());
    const Node& branch = *branches_[layer].node;
    const auto channels = static_cast<std::size_t>(branch.shape.c);
    if (branch.op != Op::average_pool) return channels_last(dumped, channels);
    return channels_last(
        std::span<const double>(pooled(dumped, branch, branches_[layer].source->shape)), channels);
}

Result<std::string> BpuLayers::text() {
    Reading reading;
    if (Status s = recognizer_.decode(reading); !s) return s.error();
    return reading.text;
}

}  // namespace lprnet::cli
