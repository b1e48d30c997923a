#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/decode/ctc_forward.h"

namespace lprnet {
namespace {

// Positions that step t can reach from the start and leave to the end in time: lo to hi.
struct Window {
    std::size_t lo, hi;
};

Window window(std::size_t t, std::size_t time_steps, std::size_t labels) {
    const std::size_t after = 2 * (time_steps - 1 - t) + 1;  // at most two positions a step
    const std::size_t end = 2 * labels;
    return {end > after ? end - after : 0, std::min(end, 2 * t + 1)};
}

}  // namespace

CtcText::CtcText(std::size_t time_steps, std::size_t classes, int blank)
    : blank_(blank),
      row_(2 * time_steps + 1),
      forward_(time_steps * row_),
      backward_(time_steps * row_),
      scale_(time_steps),
      best_(2 * row_),
      from_(time_steps * row_),
      run_(classes) {}

double CtcText::log_probability(const Posterior& posterior,
                                std::span<const std::int32_t> labels) noexcept {
    const std::size_t time_steps = posterior.time_steps();
    const std::size_t positions = 2 * labels.size() + 1;
    if (labels.size() > time_steps) return -std::numeric_limits<double>::infinity();
    double log_sum = 0.0;
    for (std::size_t t = 0; t < time_steps; ++t) {
        const double* p = posterior.p(t);
        double* row = forward_.data() + t * row_;
        const double* before = t == 0 ? nullptr : row - row_;
        const Window w = window(t, time_steps, labels.size());
        std::fill(row, row + positions, 0.0);
        double sum = 0.0;
        for (std::size_t s = w.lo; s <= w.hi; ++s) {
            double in = t == 0 ? 1.0 : before[s];
            if (t > 0 && s >= 1) in += before[s - 1];
            if (t > 0 && may_skip(labels, s)) in += before[s - 2];
            row[s] = in * p[label_at(labels, s)];
            sum += row[s];
        }
        if (!(sum > 0.0)) return -std::numeric_limits<double>::infinity();
        const double inverse = 1.0 / sum;
        for (std::size_t s = w.lo; s <= w.hi; ++s) row[s] *= inverse;
        scale_[t] = sum;
        log_sum += std::log(sum);
    }
    return log_sum;
}

void CtcText::align(const Posterior& posterior, std::span<const std::int32_t> labels,
                    std::span<Span> spans) noexcept {
    constexpr double kImpossible = -std::numeric_limits<double>::infinity();
    const std::size_t time_steps = posterior.time_steps();
    const std::size_t positions = 2 * labels.size() + 1;
    double* before = best_.data();
    double* row = before + row_;
    for (std::size_t t = 0; t < time_steps; ++t, std::swap(before, row)) {
        const double* log_p = posterior.log_p(t);
        const Window w = window(t, time_steps, labels.size());
        std::fill(row, row + positions, kImpossible);
        for (std::size_t s = w.lo; s <= w.hi; ++s) {
            double in = t == 0 ? 0.0 : before[s];
            std::uint8_t back = 0;
            if (t > 0 && s >= 1 && before[s - 1] > in) {
                in = before[s - 1];
                back = 1;
            }
            if (t > 0 && may_skip(labels, s) && before[s - 2] > in) {
                in = before[s - 2];
                back = 2;
            }
            row[s] = in + log_p[label_at(labels, s)];
            from_[t * row_ + s] = back;
        }
    }
    std::size_t last = positions - 1;
    if (last > 0 && before[last - 1] > before[last]) --last;
    trace_back(time_steps, last, spans);
}

void CtcText::trace_back(std::size_t time_steps, std::size_t last,
                         std::span<Span> spans) const noexcept {
    for (Span& span : spans) span = {-1, -1};
    std::size_t s = last;
    for (std::size_t t = time_steps; t-- > 0;) {
        if (s % 2 == 1) {
            Span& span = spans[s / 2];
            span.first_step = static_cast<std::int32_t>(t);
            if (span.last_step < 0) span.last_step = span.first_step;
        }
        s -= from_[t * row_ + s];
    }
}

void CtcText::run_backward(const Posterior& posterior,
                           std::span<const std::int32_t> labels) noexcept {
    const std::size_t time_steps = posterior.time_steps();
    const std::size_t positions = 2 * labels.size() + 1;
    for (std::size_t t = time_steps; t-- > 0;) {
        double* row = backward_.data() + t * row_;
        const Window w = window(t, time_steps, labels.size());
        std::fill(row, row + positions, 0.0);
        if (t + 1 == time_steps) {
            for (std::size_t s = w.lo; s <= w.hi; ++s) row[s] = 1.0;
            continue;
        }
        const double* after = row + row_;
        const double* p = posterior.p(t + 1);
        for (std::size_t s = w.lo; s <= w.hi; ++s) {
            double out = after[s] * p[label_at(labels, s)];
            if (s + 1 < positions) out += after[s + 1] * p[label_at(labels, s + 1)];
            if (s + 2 < positions && may_skip(labels, s + 2)) {
                out += after[s + 2] * p[label_at(labels, s + 2)];
            }
            row[s] = out / scale_[t + 1];
        }
    }
}

CtcText::Surroundings CtcText::around(const Posterior& posterior,
                                      std::span<const std::int32_t> labels, std::size_t i,
                                      std::size_t t) const noexcept {
    const bool is_first = i == 0;
    const bool is_last = i + 1 == labels.size();
    Surroundings found = {t == 0 ? 1.0 : 0.0, 0.0, is_last ? 1.0 : 0.0, 0.0};
    if (t > 0) {
        const double* before = forward_.data() + (t - 1) * row_ + 2 * i;
        found.blank_before = before[0];
        if (!is_first) found.label_before = before[-1];
    }
    if (t + 1 < posterior.time_steps()) {
        const double* after = backward_.data() + (t + 1) * row_ + 2 * i;
        const double* p = posterior.p(t + 1);
        found.blank_after = after[2] * p[blank_] / scale_[t + 1];
        if (!is_last) found.label_after = after[3] * p[labels[i + 1]] / scale_[t + 1];
    }
    return found;
}

void CtcText::replace(const Posterior& posterior, std::span<const std::int32_t> labels,
                      std::size_t i, std::span<double> weight) noexcept {
    const std::size_t classes = weight.size();
    std::fill(weight.begin(), weight.end(), 0.0);
    std::fill(run_.begin(), run_.end(), 0.0);
    // `classes`: there is no neighbor.
    const std::size_t left = i > 0 ? static_cast<std::size_t>(labels[i - 1]) : classes;
    const std::size_t right =
        i + 1 < labels.size() ? static_cast<std::size_t>(labels[i + 1]) : classes;
    // Label i may stand where i labels fit before it and the others behind it.
    for (std::size_t t = i; t + (labels.size() - 1 - i) < posterior.time_steps(); ++t) {
        const Surroundings around_it = around(posterior, labels, i, t);
        const double before = around_it.before();
        const double after = around_it.after();
        const double inverse = 1.0 / scale_[t];
        const double* p = posterior.p(t);
        const auto advance = [&](std::size_t c, double in, double out) {
            run_[c] = (run_[c] + in) * p[c] * inverse;
            weight[c] += run_[c] * out;
        };
        // Beside an equal label there has to be a blank: these two are put right below.
        const double run_left = left < classes ? run_[left] : 0.0;
        const double weight_left = left < classes ? weight[left] : 0.0;
        const double run_right = right < classes ? run_[right] : 0.0;
        const double weight_right = right < classes ? weight[right] : 0.0;
        for (std::size_t c = 0; c < classes; ++c) advance(c, before, after);
        if (left < classes) {
            run_[left] = run_left;
            weight[left] = weight_left;
            advance(left, around_it.blank_before, left == right ? around_it.blank_after : after);
        }
        if (right < classes && right != left) {
            run_[right] = run_right;
            weight[right] = weight_right;
            advance(right, before, around_it.blank_after);
        }
    }
    weight[static_cast<std::size_t>(blank_)] = 0.0;
}

void CtcText::replace_each(const Posterior& posterior, std::span<const std::int32_t> labels,
                           std::span<double> weights) noexcept {
    run_backward(posterior, labels);
    const std::size_t classes = posterior.classes();
    for (std::size_t i = 0; i < labels.size(); ++i) {
        replace(posterior, labels, i, weights.subspan(i * classes, classes));
    }
}

}  // namespace lprnet
