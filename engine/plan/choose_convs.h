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
// is chosen by itself, as the tuning says or as costs least. Where one with a single tap is the
// only reader of another convolution, both are sparse if they save more together than they
// lose, because the pixels between them stay in panels; not so without `panels`.
std::vector<ConvChoice> choose_convs(const Graph& graph, const Tuning& tuning, bool panels,
                                     const kernels::KernelTable& table);

}  // namespace lprnet
