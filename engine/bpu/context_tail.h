// The end of LPRNet in float32 on the CPU, for a .bin that gives the branches of the global context
// instead of the logits. In one piece the network leaves the BPU in its middle, for the means of
// the squares, and all four branches then share one scale of eight bits.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "lprnet/error.h"

namespace lprnet::bpu {

class ContextTail {
public:
    // What `graph` has behind its branches. `unsupported` if the convolution there is not 1x1 in
    // float32. May throw std::bad_alloc.
    static Result<ContextTail> create(const Graph& graph);

    // Of the branches, in the order of the graph.
    std::span<const Shape> shapes() const noexcept { return shapes_; }

    // With f_i the branches, W_i their columns of the convolution's weights and m_i = mean(f_i^2):
    //   logits = mean over the rows of (sum_i W_i . f_i / m_i) + bias
    //          = sum_i (W_i . mean over the rows of f_i) / m_i + bias
    // branches[i]: [row][step][channel]; logits: [step][class].
    void run(std::span<const std::vector<float>> branches, float* logits) noexcept;

private:
    ContextTail() = default;

    std::vector<Shape> shapes_;
    std::size_t classes_ = 0;
    std::vector<float> weight_;  // [channel of all branches][class]
    std::vector<float> bias_;
    std::vector<float> mean_;  // one step of one branch
};

}  // namespace lprnet::bpu
