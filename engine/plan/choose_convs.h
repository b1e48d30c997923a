// How each convolution of a graph is computed.
#pragma once

#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/conv_algorithm.h"
#include "engine/plan/tuning.h"
#include "kernels/kernel_table.h"

namespace lprnet {

struct ConvChoice {
    ConvShape shape;
    ConvAlgorithm algorithm;
    Panels panels;  // only where the algorithm is sparse
};

// One choice for each node, the default one for nodes that are no convolutions. Each convolution
// is chosen by itself, as the tuning says or as costs least. Without `panels` that is all. With
// them, convolutions of which each is the only reader of the one before form chains, and those of
// a chain between which pixels had better stay in panels are sparse, so that the whole chain
// costs least. In a quantized network all are direct, and their zeros are not counted.
std::vector<ConvChoice> choose_convs(const Graph& graph, const Tuning& tuning, bool panels,
                                     const kernels::KernelTable& table);

}  // namespace lprnet
