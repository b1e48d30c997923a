// The end of LPRNet as its definition says, in double.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "engine/model/graph.h"
#include "tests/catch.h"

namespace lprnet::test {

// branches[i]: [row][step][channel]; logits: [step][class], checked against
// mean_rows(W . concat(f_i / mean(f_i^2)) + b) within what float32 may lose on the way: every
// product takes part in at most K + rows additions, and a few roundings come before.
inline void check_tail(const Graph& graph, std::span<const Shape> shapes,
                       std::span<const std::vector<float>> branches,
                       std::span<const float> logits) {
    const Node* container = nullptr;
    for (const Node& node : graph.nodes)
        if (node.name == "container.0") container = &node;
    REQUIRE(container != nullptr);
    const auto classes = static_cast<std::size_t>(container->shape.c);
    const std::size_t channels = container->weight.size() / classes;
    const auto steps = static_cast<std::size_t>(shapes.front().w);
    const auto rows = static_cast<std::size_t>(shapes.front().h);
    REQUIRE(logits.size() == steps * classes);
    std::vector<double> means;
    for (const std::vector<float>& branch : branches) {
        double sum = 0.0;
        for (const float x : branch) sum += static_cast<double>(x) * static_cast<double>(x);
        means.push_back(sum / static_cast<double>(branch.size()));
    }
    double worst = 0.0;
    for (std::size_t t = 0; t < steps; ++t) {
        for (std::size_t o = 0; o < classes; ++o) {
            double expected = static_cast<double>(container->bias[o]);
            double magnitude = std::abs(expected);
            std::size_t k = 0;
            for (std::size_t i = 0; i < branches.size(); ++i) {
                const auto width = static_cast<std::size_t>(shapes[i].c);
                for (std::size_t c = 0; c < width; ++c, ++k) {
                    for (std::size_t h = 0; h < rows; ++h) {
                        const double x =
                            static_cast<double>(branches[i][(h * steps + t) * width + c]);
                        const double term =
                            static_cast<double>(container->weight[o * channels + k]) * x /
                            means[i] / static_cast<double>(rows);
                        expected += term;
                        magnitude += std::abs(term);
                    }
                }
            }
            constexpr double kEpsilon = std::numeric_limits<float>::epsilon() / 2;
            const double tolerance =
                kEpsilon * static_cast<double>(channels + rows + 8) * magnitude;
            const double error = std::abs(static_cast<double>(logits[t * classes + o]) - expected);
            worst = std::max(worst, error / tolerance);
        }
    }
    CHECK(worst <= 1.0);
}

}  // namespace lprnet::test
