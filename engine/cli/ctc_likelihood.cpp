#include "engine/cli/ctc_likelihood.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace lprnet::cli {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double add_logs(double a, double b) {
    const double most = std::max(a, b);
    return most == kNever ? kNever : most + std::log1p(std::exp(std::min(a, b) - most));
}

double log_of_sum(std::span<const float> logits) {
    const auto most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0.0;
    for (const float value : logits) sum += std::exp(static_cast<double>(value) - most);
    return most + std::log(sum);
}

}  // namespace

double ctc_log_likelihood(std::span<const float> logits, int classes, int blank,
                          const std::vector<int>& text) {
    // The text with a blank before, between and after its characters.
    std::vector<int> states = {blank};
    for (const int label : text) {
        states.push_back(label);
        states.push_back(blank);
    }
    std::vector<double> reached(states.size(), kNever);
    std::vector<double> before;
    const auto width = static_cast<std::size_t>(classes);
    for (std::size_t first = 0; first < logits.size(); first += width) {
        const std::span<const float> step = logits.subspan(first, width);
        const double total = log_of_sum(step);
        before = reached;
        for (std::size_t s = 0; s < states.size(); ++s) {
            double from = before[s];
            if (first == 0) from = s <= 1 ? 0.0 : kNever;
            if (first > 0 && s > 0) from = add_logs(from, before[s - 1]);
            // A blank may be left out between two different characters.
            if (first > 0 && s > 1 && states[s] != blank && states[s] != states[s - 2])
                from = add_logs(from, before[s - 2]);
            reached[s] =
                from + static_cast<double>(step[static_cast<std::size_t>(states[s])]) - total;
        }
    }
    return states.size() > 1 ? add_logs(reached.back(), reached[states.size() - 2])
                             : reached.back();
}

}  // namespace lprnet::cli
