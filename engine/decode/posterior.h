// What the network says about each time step, as probabilities and as their logarithms.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lprnet {

// Softmax of logits / temperature. Allocates in the constructor alone.
class Posterior {
public:
    Posterior(std::size_t time_steps, std::size_t classes)
        : time_steps_(time_steps),
          classes_(classes),
          p_(time_steps * classes),
          log_p_(time_steps * classes) {}

    // logits: [step][class]. A class is never less than e^-64 times as likely as the likeliest of
    // its step, and what is not a number counts as that: so every sum and product over a few
    // time steps stays within a double.
    void set(std::span<const float> logits, double temperature) noexcept;

    std::size_t time_steps() const noexcept { return time_steps_; }
    std::size_t classes() const noexcept { return classes_; }
    // One row of `classes` values.
    const double* p(std::size_t step) const noexcept { return p_.data() + step * classes_; }
    const double* log_p(std::size_t step) const noexcept { return log_p_.data() + step * classes_; }

private:
    std::size_t time_steps_;
    std::size_t classes_;
    std::vector<double> p_;
    std::vector<double> log_p_;
};

}  // namespace lprnet
