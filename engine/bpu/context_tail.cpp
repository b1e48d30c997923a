#include "engine/bpu/context_tail.h"

#include <algorithm>

namespace lprnet::bpu {
namespace {

// The only node of that operation, or the first that reads `input`.
const Node* find_node(const Graph& graph, Op op, int input = -1) {
    for (const Node& node : graph.nodes) {
        if (node.op == op && (input < 0 || node.inputs.front() == input)) return &node;
    }
    return nullptr;
}

Error unsupported(const std::string& what) {
    return {ErrorCode::unsupported, "split tail: " + what};
}

}  // namespace

Result<ContextTail> ContextTail::create(const Graph& graph) {
    const Node* concat = find_node(graph, Op::concat);
    if (concat == nullptr) return unsupported("the model has no global context");
    const Node* container =
        find_node(graph, Op::conv2d, static_cast<int>(concat - graph.nodes.data()));
    if (container == nullptr || container->kh != 1 || container->kw != 1)
        return unsupported("expected a 1x1 convolution behind the global context");
    const auto classes = static_cast<std::size_t>(container->shape.c);
    const auto channels = static_cast<std::size_t>(concat->shape.c);
    if (container->weight.size() != classes * channels)
        return unsupported("expected float32 weights in " + container->name);

    ContextTail tail;
    int widest = 0;
    for (const int input : concat->inputs) {
        const Node& normalize = graph.nodes[static_cast<std::size_t>(input)];
        const Node& branch = graph.nodes[static_cast<std::size_t>(normalize.inputs.front())];
        tail.shapes_.push_back(branch.shape);
        widest = std::max(widest, branch.shape.c);
    }
    tail.classes_ = classes;
    tail.bias_ = container->bias;
    tail.mean_.resize(static_cast<std::size_t>(widest));
    // OIHW, that is [class][channel], to [channel][class].
    tail.weight_.resize(channels * classes);
    for (std::size_t o = 0; o < classes; ++o)
        for (std::size_t i = 0; i < channels; ++i)
            tail.weight_[i * classes + o] = container->weight[o * channels + i];
    return tail;
}

void ContextTail::run(std::span<const std::vector<float>> branches, float* logits) noexcept {
    const auto steps = static_cast<std::size_t>(shapes_.front().w);
    for (std::size_t t = 0; t < steps; ++t)
        std::copy(bias_.begin(), bias_.end(), logits + t * classes_);
    const float* weight = weight_.data();
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
        const std::vector<float>& branch = branches[i];
        const auto width = static_cast<std::size_t>(shapes_[i].c);
        const auto rows = static_cast<std::size_t>(shapes_[i].h);
        double squares = 0.0;
        for (const float x : branch) squares += static_cast<double>(x) * static_cast<double>(x);
        // One factor for 1 / m_i and for the mean over the rows.
        const auto factor = static_cast<float>(static_cast<double>(branch.size()) / squares /
                                               static_cast<double>(rows));
        for (std::size_t t = 0; t < steps; ++t) {
            std::fill_n(mean_.begin(), width, 0.0f);
            for (std::size_t h = 0; h < rows; ++h) {
                const float* from = branch.data() + (h * steps + t) * width;
                for (std::size_t c = 0; c < width; ++c) mean_[c] += from[c];
            }
            float* out = logits + t * classes_;
            for (std::size_t c = 0; c < width; ++c) {
                const float scaled = mean_[c] * factor;
                const float* row = weight + c * classes_;
                for (std::size_t o = 0; o < classes_; ++o) out[o] += row[o] * scaled;
            }
        }
        weight += width * classes_;
    }
}

}  // namespace lprnet::bpu
