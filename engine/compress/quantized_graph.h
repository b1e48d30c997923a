// The graph of a quantized network, made from that of the network it stands for.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/graph.h"
#include "engine/model/model_data.h"

namespace lprnet {

// What 255 steps of a layer's output are: `clip` times the channel's factor.
struct OutputRange {
    float clip = 0.0f;
    std::vector<float> factor;  // by PyTorch's output channel; empty if they are 1
};

// The weights of a convolution, OIHW, with the factors of its output channels.
std::vector<double> scaled_weight(const Node& conv);

// Batch norms folded, ReLUs fused, weights to the nearest of 255 steps of each output channel, but
// for those of layer i if keep_float[i]. `ranges` are by layer, those without a ReLU left out of
// account. The one behind the context has quantized weights too, and the
// real values that they stand for.
Graph quantized_graph(const ModelData& model, const std::vector<OutputRange>& ranges,
                      const std::vector<bool>& keep_float);

// Channels of a convolution with integer weights and a ReLU that lets nothing of them through,
// whatever levels they read, become zeros: a bias far below zero need not fit the sum's integers.
void clear_idle_channels(double input_scale, Node& conv);

// A step of weights that a file can hold. Steps so small that float32 loses digits of them, or all,
// become 1, and the weights that they are of 0: nothing shows of those beside a layer's other
// channels. `weight` is that of the channel, in steps.
float storable_scale(double step, std::span<std::int8_t> weight);

// Weights to the nearest of 255 steps of each output channel, for an input with that step.
void round_to_nearest(const std::vector<double>& weight, double input_scale, Node& conv);

// Integers, what each channel's are in real values, and what they stand for where the layer is
// computed in float32.
void set_weight(std::vector<std::int8_t> weight, std::vector<float> step, Node& conv);

}  // namespace lprnet
