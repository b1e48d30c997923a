// The likelihood of a text against the sum over every path of a few steps.
#include "engine/cli/ctc_likelihood.h"

#include <cmath>
#include <random>
#include <vector>
#include "tests/catch.h"

namespace {

using lprnet::cli::ctc_log_likelihood;

// What greedy CTC makes of a path.
std::vector<int> collapsed(const std::vector<int>& path, int blank) {
    std::vector<int> text;
    for (std::size_t i = 0; i < path.size(); ++i)
        if (path[i] != blank && (i == 0 || path[i] != path[i - 1])) text.push_back(path[i]);
    return text;
}

double by_enumeration(const std::vector<float>& logits, int classes, int blank,
                      const std::vector<int>& text) {
    const std::size_t steps = logits.size() / static_cast<std::size_t>(classes);
    const auto at = [&](std::size_t step, int c) {
        return static_cast<double>(
            logits[step * static_cast<std::size_t>(classes) + static_cast<std::size_t>(c)]);
    };
    std::vector<int> path(steps, 0);
    double sum = 0.0, all = 0.0;
    for (;;) {
        double weight = 1.0;
        for (std::size_t s = 0; s < steps; ++s) weight *= std::exp(at(s, path[s]));
        all += weight;
        if (collapsed(path, blank) == text) sum += weight;
        std::size_t s = 0;
        while (s < steps && ++path[s] == classes) path[s++] = 0;
        if (s == steps) return std::log(sum / all);
    }
}

}  // namespace

TEST_CASE("the likelihood of a text is the sum over its alignments", "[cli]") {
    std::mt19937 random(3);
    std::uniform_real_distribution<float> value(-3.0f, 3.0f);
    constexpr int kClasses = 3;
    for (const int blank : {0, 2}) {
        const int a = blank == 0 ? 1 : 0, b = 1 + (blank == 0 ? 1 : 0);
        for (const std::size_t steps : {1, 2, 5}) {
            std::vector<float> logits(steps * kClasses);
            for (float& logit : logits) logit = value(random);
            for (const std::vector<int>& text :
                 {std::vector<int>{}, {a}, {b}, {a, b}, {a, a}, {a, b, a}, {b, b, b}}) {
                CAPTURE(blank, steps, text);
                const double expected = by_enumeration(logits, kClasses, blank, text);
                const double found = ctc_log_likelihood(logits, kClasses, blank, text);
                if (std::isinf(expected)) {
                    CHECK(found == expected);
                } else {
                    // A few hundred rounded operations in double.
                    CHECK(std::fabs(found - expected) < 1e-12 * (1.0 + std::fabs(expected)));
                }
            }
        }
    }
}
