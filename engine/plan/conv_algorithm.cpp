#include "engine/plan/conv_algorithm.h"

#include <algorithm>

#include "kernels/winograd.h"

namespace lprnet {
namespace {

constexpr int taps_of(const ConvAlgorithm& algorithm) {
    return algorithm.points + 1 - algorithm.tile;
}

// kWinogradVariants as algorithms.
std::vector<ConvAlgorithm> winograd_algorithms() {
    std::vector<ConvAlgorithm> algorithms;
    for (const auto& [points, tile] : kernels::kWinogradVariants) {
        algorithms.push_back({points, tile});
    }
    return algorithms;
}

// In multiply-adds of the direct kernel.
double cost(const ConvShape& shape, const ConvAlgorithm& algorithm,
            const kernels::KernelTable& table) {
    const double ic = shape.ic, oc = shape.oc;
    if (algorithm.direct()) return ic * oc * shape.kh * shape.kw * shape.oh * shape.ow;

    const bool vertical = shape.kh > 1;
    const int tiles = kernels::winograd_tiles(vertical ? shape.oh : shape.ow, algorithm.tile) *
                      (vertical ? shape.ow : shape.oh);
    const int groups =
        kernels::winograd_groups(std::max(shape.kh, shape.kw), algorithm.points, algorithm.tile);
    // A transform moves and adds each value several times; measured as 6 to 8 multiply-adds.
    // Channels beyond whole vectors are transformed one by one.
    constexpr double kTransform = 8.0;
    const auto elements = [&](int channels) {
        return static_cast<double>(channels / table.lanes + channels % table.lanes) * table.lanes;
    };
    const double transforms = kTransform * (groups * elements(shape.ic) + elements(shape.oc));
    return static_cast<double>(tiles) * algorithm.points * (groups * ic * oc + transforms);
}

}  // namespace

std::string algorithm_text(const ConvAlgorithm& algorithm) {
    if (algorithm.direct()) return "direct";
    return "F(" + std::to_string(algorithm.tile) + "," + std::to_string(taps_of(algorithm)) + ")";
}

bool parse_algorithm(const std::string& text, ConvAlgorithm& algorithm) {
    if (text == "direct") {
        algorithm = {};
        return true;
    }
    for (const ConvAlgorithm& candidate : winograd_algorithms()) {
        if (text != algorithm_text(candidate)) continue;
        algorithm = candidate;
        return true;
    }
    return false;
}

std::vector<ConvAlgorithm> conv_algorithms(const ConvShape& shape) {
    std::vector<ConvAlgorithm> algorithms = {{}};
    const int taps = std::max(shape.kh, shape.kw);
    if (std::min(shape.kh, shape.kw) > 1 || taps < 3) return algorithms;
    for (const ConvAlgorithm& candidate : winograd_algorithms()) {
        if (taps_of(candidate) <= taps) algorithms.push_back(candidate);
    }
    return algorithms;
}

ConvAlgorithm default_algorithm(const ConvShape& shape, const kernels::KernelTable& table) {
    if (table.lanes == 1) return {};  // the reference computes the definition
    const std::vector<ConvAlgorithm> algorithms = conv_algorithms(shape);
    return *std::min_element(algorithms.begin(), algorithms.end(),
                             [&](const ConvAlgorithm& a, const ConvAlgorithm& b) {
                                 return cost(shape, a, table) < cost(shape, b, table);
                             });
}

}  // namespace lprnet
