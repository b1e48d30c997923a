#include "engine/plan/conv_algorithm.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"
#include "kernels/conv2d_sparse_f32/conv2d_sparse_f32.h"

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

// Channels that are transformed or transposed: those beyond whole vectors go one by one.
double moved_channels(int channels, const kernels::KernelTable& table) {
    return static_cast<double>(channels / table.lanes + channels % table.lanes) * table.lanes;
}

constexpr int pieces(int count, int size) {
    return (count + size - 1) / size;
}

double sparse_cost(const ConvShape& shape, const Panels& panels,
                   const kernels::KernelTable& table) {
    const int taps = shape.kh * shape.kw;
    // A tile of few vectors waits for its own sums.
    constexpr int kFewVectors = 4;
    const double pixels =
        table.lanes * std::max(kFewVectors, pieces(shape.oh * shape.ow, table.lanes));
    // Each weight costs a multiply-add; each input that is not zero for a whole group of output
    // channels, loads and control; and each group, whatever it has, setting out and storing.
    // Fitted to LPRNet's 1x1 convolutions with 0 to 90 % zeros (scripts/crossover.py).
    constexpr double kWeight = 0.60, kInput = 0.27, kGroup = 0.09;
    const double zeros = shape.zero_percent * 0.01;
    const double live_inputs = 1.0 - std::pow(zeros, kernels::kSparseGroup);
    const double products = pixels * shape.ic * shape.oc * taps *
                            (kWeight * (1.0 - zeros) + kInput * live_inputs + kGroup);
    // Where the loops over a list end is new to the processor once for each list: some 60
    // cycles of two vectors each.
    constexpr double kList = 120.0;
    const double lists = kList * table.lanes * pieces(shape.ic * taps, kernels::kSparsePart) *
                         pieces(shape.oc, kernels::kSparseGroup);
    // A value is transposed on its way in, once for each tap, and on its way out: a load, a
    // store and log2(lanes) shuffles of a vector.
    const double transpose = std::log2(table.lanes) + 2.0;
    double transposed = 0.0;
    if (!panels.input) transposed += moved_channels(shape.ic, table) * taps;
    if (!panels.output) transposed += moved_channels(shape.oc, table);
    // From panels it is moved for each tap but the one in the middle: a load, a mask and a store,
    // and more where the vector lies in two cache lines, which the longest always do. Fitted to
    // LPRNet's basic blocks with 55 to 70 % zeros.
    constexpr double kMove = 3.0, kSplit = 5.0, kLine = 16.0;
    const double move = kMove + kSplit * table.lanes / kLine;
    const double moved = panels.input ? move * shape.ic * (taps - 1) : 0.0;
    return products + lists + pixels * (transpose * transposed + moved);
}

double winograd_cost(const ConvShape& shape, const ConvAlgorithm& algorithm,
                     const kernels::KernelTable& table) {
    const double ic = shape.ic, oc = shape.oc;
    const bool vertical = shape.kh > 1;
    const int tiles = kernels::winograd_tiles(vertical ? shape.oh : shape.ow, algorithm.tile) *
                      (vertical ? shape.ow : shape.oh);
    const int groups =
        kernels::winograd_groups(std::max(shape.kh, shape.kw), algorithm.points, algorithm.tile);
    // A transform moves and adds each value several times; measured as 6 to 8 multiply-adds.
    constexpr double kTransform = 8.0;
    const double transforms =
        kTransform * (groups * moved_channels(shape.ic, table) + moved_channels(shape.oc, table));
    return static_cast<double>(tiles) * algorithm.points * (groups * ic * oc + transforms);
}

}  // namespace

int rounded_zero_percent(std::size_t zeros, std::size_t weights) noexcept {
    constexpr std::size_t kSteps = 20;
    if (weights == 0) return 0;
    return static_cast<int>((zeros * kSteps + weights / 2) / weights * (100 / kSteps));
}

std::string algorithm_text(const ConvAlgorithm& algorithm) {
    if (algorithm.direct()) return "direct";
    if (algorithm.sparse) return "sparse";
    return "F(" + std::to_string(algorithm.tile) + "," + std::to_string(taps_of(algorithm)) + ")";
}

bool parse_algorithm(const std::string& text, ConvAlgorithm& algorithm) {
    if (text == "direct") {
        algorithm = {};
        return true;
    }
    if (text == "sparse") {
        algorithm = {.sparse = true};
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
    std::vector<ConvAlgorithm> algorithms = {{}, {.sparse = true}};
    const int taps = std::max(shape.kh, shape.kw);
    if (std::min(shape.kh, shape.kw) > 1 || taps < 3) return algorithms;
    for (const ConvAlgorithm& candidate : winograd_algorithms()) {
        if (taps_of(candidate) <= taps) algorithms.push_back(candidate);
    }
    return algorithms;
}

bool has_kernel(const kernels::KernelTable& table, const ConvAlgorithm& algorithm) noexcept {
    if (algorithm.sparse) return table.conv2d_sparse_f32 != nullptr;
    return algorithm.direct() || table.conv1d_winograd_f32 != nullptr;
}

double conv_cost(const ConvShape& shape, const ConvAlgorithm& algorithm, const Panels& panels,
                 const kernels::KernelTable& table) {
    if (!has_kernel(table, algorithm)) return std::numeric_limits<double>::infinity();
    if (algorithm.sparse) return sparse_cost(shape, panels, table);
    if (algorithm.winograd()) return winograd_cost(shape, algorithm, table);
    return static_cast<double>(shape.ic) * shape.oc * shape.kh * shape.kw * shape.oh * shape.ow;
}

ConvAlgorithm default_algorithm(const ConvShape& shape, const kernels::KernelTable& table) {
    if (table.lanes == 1) return {};  // the reference computes the definition
    const std::vector<ConvAlgorithm> algorithms = conv_algorithms(shape);
    return *std::min_element(
        algorithms.begin(), algorithms.end(), [&](const ConvAlgorithm& a, const ConvAlgorithm& b) {
            return conv_cost(shape, a, {}, table) < conv_cost(shape, b, {}, table);
        });
}

}  // namespace lprnet
