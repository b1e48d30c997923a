// The passes that turn the network as trained into the network as run, in the
// order in which build_plan() applies them, to float32 and quantized ones alike.
// Each is a function from graph to graph that leaves the logits unchanged up to
// rounding, and each stands alone in the file of its name. What kernel a node
// then becomes is said in lowering.h.
#pragma once

#include "engine/model/graph.h"

namespace lprnet {

// conv2d -> batch_norm becomes conv2d: with s = gamma / sqrt(var + 1e-5),
// w' = s w and b' = s (b - mean) + beta, computed in double.
Graph fold_batch_norm(Graph graph);

// conv2d -> relu becomes conv2d with its relu flag set, conv2d -> max_pool -> relu the same in
// front of the pool.
Graph fuse_relu(Graph graph);

// conv2d 1x1 -> mean_height becomes mean_height -> conv2d 1x1, and the mean moves
// on through the concatenation in front of it. Both are linear, so the result is
// the same with a quarter of the multiply-accumulates.
Graph move_mean(Graph graph);

// average_pool -> normalize -> mean_height (the pool is optional) becomes context_tap.
Graph fuse_context_tap(Graph graph);

// A max pool that keeps every n-th channel of a convolution becomes one that keeps
// the first ones: the convolution's output channels are sorted so that the kept
// come first, and the context's columns with them. Node::channel_order tells the
// old order.
Graph sort_pooled_channels(Graph graph);

// Channels that are the same number at every pixel of every image go: nothing computes them,
// nothing reads them, and what they add to other channels is in those' biases. Trained networks
// have many: half of some layers. To be exact for a quantized network it removes zeros alone.
// Convolutions keep whole vectors of so many channels, since less saves nothing. Behind
// sort_pooled_channels().
Graph remove_constant_channels(Graph graph, int vector);

// Moves each context_tap right behind the node it reads, while that is in the
// cache and before its memory is needed again.
Graph schedule_taps(Graph graph);

}  // namespace lprnet
