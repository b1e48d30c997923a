// Magnitude pruning: the convolution weights with the smallest absolute values become zero.
// Biases and batch norms stay, and so does everything else about the network: its speed changes
// only where kernels make use of the zeros. Song Han et al., "Learning both Weights and
// Connections for Efficient Neural Networks" (2015), without the retraining.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "lprnet/error.h"

namespace lprnet {

// What is removed as a whole.
enum class PruneUnit {
    weights,  // single weights, by magnitude
    // One input channel x kPruneGroup adjacent output channels, all taps together, by L1 norm
    // per weight: the last group of a layer may be narrower and must not look weaker for it.
    groups,
};

// Output channels of a group: a vector register of AVX-512 in floats, a multiple of all others.
inline constexpr int kPruneGroup = 16;

struct PruneOptions {
    // Share of the units to remove, 0..1, rounded down to whole units: of each layer, or of all
    // layers together if `global`.
    double amount = 0.0;
    bool global = false;
    PruneUnit unit = PruneUnit::weights;
    // Layers with a share of their own, by either of their names (layer_names.h). They are always
    // pruned by themselves; 0 leaves a layer as it is.
    std::map<std::string, double, std::less<>> layer_amounts;
};

struct PrunedLayer {
    std::string name;
    std::size_t weights = 0;
    std::size_t zeros = 0;
    // Sums of |w| and w^2 before, and of what was removed.
    double l1 = 0.0, l1_removed = 0.0;
    double squares = 0.0, squares_removed = 0.0;

    // Shares 0..1; 0 where there is nothing to take a share of.
    double zero_share() const noexcept;
    double l1_share() const noexcept;
    double l2_share() const noexcept;
};

// Prunes `graph`, as build_network makes it, in place; one entry for each convolution, in
// execution order. Of equal units those go first that have the lower index: in OIHW order of
// weights, in order of output, then input channels of groups, in execution order of layers.
// Units that are zero already are the first to be counted. Errors: invalid_argument for a share
// outside 0..1, for a layer that is named twice and for one that does not exist, naming those that
// do, unsupported for a
// quantized network, out_of_memory; `graph` is unchanged then.
Result<std::vector<PrunedLayer>> prune(Graph& graph, const PruneOptions& options) noexcept;

}  // namespace lprnet
