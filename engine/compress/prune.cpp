#include "engine/compress/prune.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "engine/boundary.h"
#include "engine/compress/layer_names.h"
#include "engine/text/printable.h"

namespace lprnet {
namespace {

// The weight of a convolution as groups of units. Index arithmetic only.
class Units {
public:
    Units(const Graph& graph, const Node& node, PruneUnit unit)
        : single_(unit == PruneUnit::weights),
          oc_(node.shape.c),
          ic_(graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape.c),
          taps_(node.kh * node.kw) {}

    std::size_t count() const noexcept {
        const int blocks = (oc_ + kPruneGroup - 1) / kPruneGroup;
        return single_ ? size(oc_) * size(ic_) * size(taps_) : size(blocks) * size(ic_);
    }

    // Calls visit(index of the weight) for every weight of unit `unit`.
    template <class Visit>
    void for_each_weight(std::size_t unit, Visit visit) const {
        if (single_) {
            visit(unit);
            return;
        }
        const std::size_t begin = unit / size(ic_) * kPruneGroup;
        const std::size_t end = std::min(begin + kPruneGroup, size(oc_));
        for (std::size_t oc = begin; oc < end; ++oc) {
            const std::size_t first = (oc * size(ic_) + unit % size(ic_)) * size(taps_);
            for (std::size_t i = first; i < first + size(taps_); ++i) visit(i);
        }
    }

private:
    static std::size_t size(int extent) noexcept { return static_cast<std::size_t>(extent); }

    bool single_;
    int oc_, ic_, taps_;
};

struct PruneGroup {
    double score;  // mean of |w|
    std::size_t layer;
    std::size_t unit;

    friend bool operator<(const PruneGroup& a, const PruneGroup& b) noexcept {
        return std::tie(a.score, a.layer, a.unit) < std::tie(b.score, b.layer, b.unit);
    }
};

// floor(amount * count) of the decimal number that was typed: 0.29 * 100 is a little less than
// 29 in binary. A millionth covers the rounding of every count up to 2^32.
std::size_t share_of(double amount, std::size_t count) {
    return static_cast<std::size_t>(std::floor(amount * static_cast<double>(count) + 1e-6));
}

// One selection: candidates of one layer, or of all that share a threshold.
class Selection {
public:
    void add(const std::vector<float>& weight, const Units& units, std::size_t layer) {
        for (std::size_t unit = 0; unit < units.count(); ++unit) {
            double sum = 0.0;
            int count = 0;
            units.for_each_weight(unit, [&](std::size_t i) {
                sum += std::abs(static_cast<double>(weight[i]));
                ++count;
            });
            candidates_.push_back({sum / count, layer, unit});
        }
    }

    // The weakest share of the candidates.
    std::vector<PruneGroup> weakest(double amount) {
        const std::size_t count = share_of(amount, candidates_.size());
        if (count < candidates_.size()) {
            std::nth_element(candidates_.begin(),
                             candidates_.begin() + static_cast<std::ptrdiff_t>(count),
                             candidates_.end());
            candidates_.resize(count);
        }
        return std::move(candidates_);
    }

private:
    std::vector<PruneGroup> candidates_;
};

Status check_share(double amount, const std::string& where) {
    if (amount >= 0.0 && amount <= 1.0) return {};  // false for a NaN
    return Error{ErrorCode::invalid_argument,
                 where + "expected a share from 0 to 1, found " + std::to_string(amount)};
}

// By Node::layer: a share of its own, where the layer has one.
using Amounts = std::vector<std::optional<double>>;

Result<Amounts> amounts_of(const Graph& graph, const PruneOptions& options) {
    if (Status s = check_share(options.amount, ""); !s) return s.error();
    const std::vector<LayerName> names = layer_names(graph);
    Amounts amounts(names.size());
    for (const auto& [name, amount] : options.layer_amounts) {
        const Result<std::size_t> layer = find_layer(names, name);
        if (!layer) return layer.error();
        if (Status s = check_share(amount, "layer " + in_quotes(name) + ": "); !s) return s.error();
        if (amounts[*layer]) {
            return Error{ErrorCode::invalid_argument, "layer " + in_quotes(names[*layer].stored) +
                                                          " is named twice, also as " +
                                                          in_quotes(names[*layer].computed)};
        }
        amounts[*layer] = amount;
    }
    return amounts;
}

double share(double part, double whole) {
    return whole > 0.0 ? part / whole : 0.0;
}

}  // namespace

double PrunedLayer::zero_share() const noexcept {
    return share(static_cast<double>(zeros), static_cast<double>(weights));
}
double PrunedLayer::l1_share() const noexcept {
    return share(l1_removed, l1);
}
double PrunedLayer::l2_share() const noexcept {
    return std::sqrt(share(squares_removed, squares));
}

namespace {

Result<std::vector<PrunedLayer>> prune_layers(Graph& graph, const PruneOptions& options) {
    if (graph.quantized()) {
        return Error{ErrorCode::unsupported,
                     "quantized already, expected float32 weights; prune comes before quantize"};
    }
    const Result<Amounts> amounts = amounts_of(graph, options);
    if (!amounts) return amounts.error();

    std::vector<Node*> layers;
    std::vector<std::vector<float>> values;
    std::vector<PrunedLayer> report;
    for (Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        layers.push_back(&node);
        values.emplace_back(node.weight.begin(), node.weight.end());
        PrunedLayer& row = report.emplace_back();
        row.name = node.name;
        row.weights = node.weight.size();
        for (const float w : node.weight) {
            row.l1 += std::abs(static_cast<double>(w));
            row.squares += static_cast<double>(w) * static_cast<double>(w);
        }
    }

    const auto remove = [&](const std::vector<PruneGroup>& weakest) {
        for (const PruneGroup& candidate : weakest) {
            Node& node = *layers[candidate.layer];
            PrunedLayer& row = report[candidate.layer];
            const Units units(graph, node, options.unit);
            units.for_each_weight(candidate.unit, [&](std::size_t i) {
                const auto w = static_cast<double>(values[candidate.layer][i]);
                row.l1_removed += std::abs(w);
                row.squares_removed += w * w;
                values[candidate.layer][i] = 0.0F;
            });
        }
    };
    Selection together;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Units units(graph, *layers[i], options.unit);
        const std::optional<double> own = (*amounts)[static_cast<std::size_t>(layers[i]->layer)];
        const bool by_itself = !options.global || own;
        Selection alone;
        (by_itself ? alone : together).add(values[i], units, i);
        if (by_itself) {
            remove(alone.weakest(own.value_or(options.amount)));
        }
    }
    if (options.global) remove(together.weakest(options.amount));

    std::vector<Floats> pruned;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        report[i].zeros =
            static_cast<std::size_t>(std::count(values[i].begin(), values[i].end(), 0.0F));
        pruned.emplace_back(std::move(values[i]));
    }
    // From here on nothing fails.
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i]->weight = std::move(pruned[i]);
    return report;
}

}  // namespace

Result<std::vector<PrunedLayer>> prune(Graph& graph, const PruneOptions& options) noexcept {
    return guarded([&] { return prune_layers(graph, options); });
}

}  // namespace lprnet
