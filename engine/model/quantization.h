// The rules of int8: how far its integers go, what they stand for, and what a file calls them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/image/preprocess.h"
#include "engine/model/graph.h"

namespace lprnet {

// Activations have levels from 0 to the most, weights integers from minus to plus the most.
inline constexpr int kMostLevel = 255;
inline constexpr int kMostWeight = 127;
// Of a layer's bias as quantize() makes it, in units of its sum: a quarter of what a sum may be.
inline constexpr double kMostBias = 1 << 30;
// Of a sum, and of what it becomes in units of the output: 32 bits, with room for rounding.
inline constexpr double kMostSum = 2147483000.0;
// A channel's factor where the context reads its layer is 2^0 to 2^-8: sums of squares of all
// channels are integers in units of the smallest.
inline constexpr int kMostFactorExponent = 8;
inline constexpr float kLeastFactor = 1.0f / (1 << kMostFactorExponent);

// What a file has of a convolution, behind the name of its module: the weights; what 1 of them is
// for each output channel; the bias; what 1 of the output is; and what that is for each channel, in
// units of it. See weights/FORMAT.md.
inline constexpr std::string_view kWeightSuffix = ".weight";
inline constexpr std::string_view kWeightScaleSuffix = ".weight.scale";
inline constexpr std::string_view kBiasSuffix = ".bias";
inline constexpr std::string_view kOutputScaleSuffix = ".output.scale";
inline constexpr std::string_view kOutputFactorSuffix = ".output.factor";

// What an int8 weight stands for. Exact: 7 bits times 24.
constexpr double real_weight(std::int8_t weight, float scale) noexcept {
    return weight * static_cast<double>(scale);
}
// Of a whole convolution, each rounded once. May throw std::bad_alloc.
Floats real_weights(const Node& conv);

// The node that makes levels of the normalized pixels of node `source`, without its numbers.
Node levels_node(const Node& source, int index);
// The graph of a quantized network with what stands between floats and levels: convolutions read
// levels of pixels, linear layers real values. May throw std::bad_alloc.
Graph with_levels(Graph graph);
// Those: normalized = (level - mean) * scale, the other way round.
void set_levels(const Preprocess& preprocess, Node& levels);

// What a level of each channel that `conv` reads stands for, through pools and ReLUs: scale times
// factor.
struct ReadLevels {
    double scale = 1.0;
    std::vector<float> factor;  // by PyTorch's channel; empty if they are 1
};
ReadLevels levels_read_by(const Graph& graph, const Node& conv);

}  // namespace lprnet
