// A network as data: nodes in execution order, each with its parameters and the
// shape it produces. The loader fills one from a file; the passes in plan/
// rewrite it; the last of them turns it into a plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine/model/shared_array.h"

namespace lprnet {

enum class Op {
    input,
    conv2d,      // stride 1
    batch_norm,  // per channel, running statistics
    relu,
    max_pool,  // with channel_stride: every n-th channel is kept
    average_pool,
    normalize,    // x / mean(x^2) over one image
    concat,       // along the channels
    mean_height,  // mean over the rows: [c][h][w] -> [c][1][w]
    // A picture sampled at the positions of an affine map: reads both, the map's six numbers last.
    affine_sample,
    context_tap,  // average_pool + normalize + mean_height; the plan's own
    quantize,     // normalized pixels to their levels, 0 to 255; the engine's own
    dequantize,   // levels to what they stand for; the engine's own
};

const char* op_name(Op op) noexcept;

// Channels, rows and columns of one image's tensor.
struct Shape {
    int c = 0;
    int h = 0;
    int w = 0;

    friend bool operator==(const Shape&, const Shape&) = default;
};

struct Window {
    int h = 1;
    int w = 1;
};

// Windows that lie along an extent.
constexpr int windows_along(int extent, int window, int stride) noexcept {
    return (extent - window) / stride + 1;
}

// PyTorch's channel of a stored one, by an order that says what is stored where; an empty one
// changes nothing.
inline std::size_t channel_at(const std::vector<int>& order, std::size_t stored) noexcept {
    return order.empty() ? stored : static_cast<std::size_t>(order[stored]);
}

struct Node {
    Op op = Op::input;
    // PyTorch module path of the module whose output this node computes.
    std::string name;
    // Indices of earlier nodes.
    std::vector<int> inputs;
    Shape shape;

    // conv2d: weight is OIHW; padding is zeros on both sides. The file takes stored_bytes for
    // the weight, fewer than it has here where it is sparse.
    Floats weight;
    std::size_t stored_bytes = 0;
    bool stored_sparse = false;
    std::vector<float> bias;
    // Which convolution of the table of layers it is, counted from 0. Passes keep it.
    int layer = -1;
    // A linear layer: a convolution whose kernel covers all that arrives. The file has its weight
    // in two dimensions, and none of its numbers in levels.
    bool linear = false;
    int kh = 1, kw = 1;
    int pad_h = 0, pad_w = 0;
    bool relu = false;

    // conv2d, context_tap: stored channel i is PyTorch's channel channel_order[i];
    // empty if they are equal.
    std::vector<int> channel_order;
    std::size_t channel_of(std::size_t stored) const noexcept {
        return channel_at(channel_order, stored);
    }
    // conv2d: the same for the channels that arrive.
    std::vector<int> input_order;
    // conv2d: what each of PyTorch's output channels is multiplied by; empty if that is 1.
    std::vector<double> gain;
    // conv2d: its parameters are those of the stored channels, in their order. What the orders
    // above say is then for whoever looks at an output.
    bool in_stored_order = false;
    // Where the parameters of a stored output channel are.
    std::size_t parameter_row(std::size_t stored) const noexcept {
        return in_stored_order ? stored : channel_of(stored);
    }

    // conv2d, max_pool: channels of PyTorch's that are the same number at every pixel of every
    // image, and that nothing computes any more.
    struct Constant {
        int channel;
        float value;
    };
    std::vector<Constant> constants;
    // context_tap: the channels over whose squares the mean is; 0 for those that are stored.
    int channels_in_mean = 0;

    // conv2d of a quantized network: int8 weights, OIHW, instead of `weight`; what 1 of them is
    // for each of PyTorch's output channels; and what 1 of the output is, after ReLU, from 0
    // to 255.
    SharedArray<std::int8_t> quantized_weight;
    std::vector<float> weight_scale;
    float output_scale = 0.0f;
    bool quantized() const noexcept { return output_scale > 0.0f; }
    // A quantized layer whose weights are those in `weight`: real values as quantized_weight times
    // weight_scale are, for the same inputs and outputs.
    bool keeps_float() const noexcept { return quantized() && weight.size() > 0; }
    // What 1 of each of PyTorch's output channels really is, in units of output_scale, for
    // whoever looks at the output: the weights that read it are in such units already. Empty if
    // it is 1.
    std::vector<float> output_factor;

    // quantize: pixel level = value * level_factor + level_offset, for each channel.
    std::vector<float> level_factor;
    std::vector<float> level_offset;

    // affine_sample: what a position of -1 or 1 means, see kernels::AffineSampleF32.
    bool align_corners = false;

    // batch_norm: `weight` is gamma and `bias` beta, plus these.
    std::vector<float> running_mean;
    std::vector<float> running_var;

    // pools and context_tap
    Window window;
    Window stride;
    int channel_stride = 1;
};

// Node 0 is the input, the last node the logits.
struct Graph {
    std::vector<Node> nodes;
    // The largest number that a pixel can be, normalized, with or without its sign; and whether it
    // pays to look for channels of float32 convolutions that are the same for every image. Both are
    // set by settle_numbers().
    float largest_pixel = std::numeric_limits<float>::infinity();
    bool has_constants = false;

    const Shape& input_shape() const noexcept { return nodes.front().shape; }
    const Shape& output_shape() const noexcept { return nodes.back().shape; }
    // True if a convolution is quantized; then all but the one behind the context have to be.
    bool quantized() const noexcept;
    // True if the file stores the weights of a convolution without their zeros.
    bool stored_sparse() const noexcept;
};

// Of a context_tap, stored or not.
inline int channels_in_mean(const Node& tap) noexcept {
    return tap.channels_in_mean > 0 ? tap.channels_in_mean : tap.shape.c;
}

// Convolutions of the table of layers: one more than the largest Node::layer.
int layer_count(const Graph& graph) noexcept;

// Multiply-accumulates of one node; 0 for anything but a convolution.
std::int64_t multiply_accumulates(const Graph& graph, const Node& node) noexcept;

}  // namespace lprnet
