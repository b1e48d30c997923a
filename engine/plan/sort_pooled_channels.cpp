#include <numeric>
#include <vector>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {
namespace {

// Kept channels first: 0, s, 2s, ..., then the rest in their old order.
std::vector<int> kept_first(int channels, int stride) {
    std::vector<int> order;
    for (int c = 0; c < channels; c += stride) order.push_back(c);
    for (int c = 0; c < channels; ++c) {
        if (c % stride != 0) order.push_back(c);
    }
    return order;
}

void permute_output_channels(Node& conv, const std::vector<int>& order) {
    const std::vector<float> bias = conv.bias;
    for (std::size_t i = 0; i < order.size(); ++i) {
        conv.bias[i] = bias[static_cast<std::size_t>(order[i])];
    }
    conv.channel_order = order;
}

// The input channels of a 1x1 convolution from `first` on follow `order`.
void permute_input_channels(Node& conv, int ic, int first, const std::vector<int>& order) {
    if (conv.input_order.empty()) {
        conv.input_order.resize(static_cast<std::size_t>(ic));
        std::iota(conv.input_order.begin(), conv.input_order.end(), 0);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        conv.input_order[static_cast<std::size_t>(first) + i] = first + order[i];
    }
}

}  // namespace

Graph sort_pooled_channels(Graph graph) {
    for (int p = 0; p < node_count(graph); ++p) {
        Node& pool = node_at(graph, p);
        if (pool.op != Op::max_pool || pool.channel_stride == 1) continue;
        const int source = only_input(pool);
        Node& conv = node_at(graph, source);
        if (conv.op != Op::conv2d || !conv.channel_order.empty()) continue;

        std::vector<int> taps;
        bool movable = true;
        for (int i = 0; i < node_count(graph); ++i) {
            if (i == p || !reads(node_at(graph, i), source)) continue;
            movable = movable && node_at(graph, i).op == Op::context_tap &&
                      find_arrival(graph, i).conv >= 0;
            taps.push_back(i);
        }
        if (!movable) continue;

        const std::vector<int> order = kept_first(conv.shape.c, pool.channel_stride);
        permute_output_channels(conv, order);
        pool.channel_stride = 1;
        for (const int tap : taps) {
            node_at(graph, tap).channel_order = order;
            const Arrival arrival = find_arrival(graph, tap);
            Node& context = node_at(graph, arrival.conv);
            permute_input_channels(context, node_at(graph, only_input(context)).shape.c,
                                   arrival.first_channel, order);
        }
    }
    return graph;
}

}  // namespace lprnet
