#include "engine/decode/posterior.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lprnet {

void Posterior::set(std::span<const float> logits, double temperature) noexcept {
    constexpr float kLeast = -64.0f;
    // A quarter: the difference of two such numbers is still finite. NaN compares as less.
    constexpr float kHuge = std::numeric_limits<float>::max() / 4;
    const auto bounded = [=](float x) { return x > -kHuge ? std::min(x, kHuge) : -kHuge; };
    const auto scale = static_cast<float>(1.0 / temperature);
    for (std::size_t t = 0; t < time_steps_; ++t) {
        const float* row = logits.data() + t * classes_;
        double* p = p_.data() + t * classes_;
        double* log_p = log_p_.data() + t * classes_;
        float highest = -kHuge;
        for (std::size_t c = 0; c < classes_; ++c) highest = std::max(highest, bounded(row[c]));
        double sum = 0.0;
        for (std::size_t c = 0; c < classes_; ++c) {
            const float x = std::max((bounded(row[c]) - highest) * scale, kLeast);
            const auto e = static_cast<double>(std::exp(x));
            log_p[c] = static_cast<double>(x);
            p[c] = e;
            sum += e;
        }
        const double log_sum = std::log(sum);
        for (std::size_t c = 0; c < classes_; ++c) {
            log_p[c] -= log_sum;
            p[c] /= sum;
        }
    }
}

}  // namespace lprnet
