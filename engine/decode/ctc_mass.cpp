#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/decode/ctc_forward.h"

namespace lprnet {

CtcMass::CtcMass(const Automaton& automaton, int blank) : automaton_(&automaton), blank_(blank) {
    const std::size_t states = automaton.states();
    const std::size_t classes = automaton.classes;
    // entry_at[state][label]
    std::vector<std::int32_t> entry_at(states * classes, Automaton::kNone);
    std::vector<std::vector<Source>> sources;
    for (std::size_t s = 0; s < states; ++s) {
        for (const Automaton::Arc& arc : automaton.arcs_of(static_cast<std::int32_t>(s))) {
            entry_at[static_cast<std::size_t>(arc.target) * classes +
                     static_cast<std::size_t>(arc.label)] = 0;
        }
    }
    for (std::size_t s = 0; s < states; ++s) {
        entries_of_.push_back(static_cast<std::uint32_t>(label_.size()));
        for (std::size_t c = 0; c < classes; ++c) {
            if (entry_at[s * classes + c] == Automaton::kNone) continue;
            entry_at[s * classes + c] = static_cast<std::int32_t>(label_.size());
            label_.push_back(static_cast<std::int32_t>(c));
        }
    }
    entries_of_.push_back(static_cast<std::uint32_t>(label_.size()));
    sources.resize(label_.size());
    const auto zero = static_cast<std::int32_t>(label_.size());
    for (std::size_t s = 0; s < states; ++s) {
        for (const Automaton::Arc& arc : automaton.arcs_of(static_cast<std::int32_t>(s))) {
            const auto c = static_cast<std::size_t>(arc.label);
            const std::int32_t same = entry_at[s * classes + c];
            const std::int32_t to = entry_at[static_cast<std::size_t>(arc.target) * classes + c];
            // No arc leads to the start.
            const std::size_t from = s == 0 ? states + c : s;
            sources[static_cast<std::size_t>(to)].push_back(
                {static_cast<std::int32_t>(from), same == Automaton::kNone ? zero : same});
        }
    }
    for (const std::vector<Source>& of_entry : sources) {
        sources_of_.push_back(static_cast<std::uint32_t>(sources_.size()));
        sources_.insert(sources_.end(), of_entry.begin(), of_entry.end());
    }
    sources_of_.push_back(static_cast<std::uint32_t>(sources_.size()));
    entry_.resize(label_.size() + 1);
    next_entry_.resize(label_.size() + 1);
    state_.resize(states + classes);
    for (const double log_weight : automaton.log_first) first_.push_back(std::exp(log_weight));
    row_.resize(classes);
}

double CtcMass::log_mass(const Posterior& posterior) noexcept {
    const std::size_t states = automaton_->states();
    std::fill(entry_.begin(), entry_.end(), 0.0);
    std::fill(next_entry_.begin(), next_entry_.end(), 0.0);
    std::fill(state_.begin(), state_.end(), 0.0);
    const auto set_start = [&](double mass) {
        state_[0] = mass;
        for (std::size_t c = 0; c < first_.size(); ++c) state_[states + c] = mass * first_[c];
    };
    set_start(1.0);
    double scale = 1.0;
    double log_scale = 0.0;
    for (std::size_t t = 0; t < posterior.time_steps(); ++t) {
        const auto left = static_cast<std::int32_t>(posterior.time_steps() - 1 - t);
        const auto reached = static_cast<std::int32_t>(t + 1);
        const double* p = posterior.p(t);
        for (std::size_t c = 0; c < row_.size(); ++c) row_[c] = p[c] * scale;
        double total = 0.0;
        // From the last state to the first: sources have lower numbers and are still of the step
        // before. Entries of the same state are read by its own arcs alone, hence two arrays.
        for (std::size_t s = states; s-- > 0;) {
            const std::uint32_t begin = entries_of_[s], end = entries_of_[s + 1];
            if (automaton_->least_before[s] > reached) continue;
            if (automaton_->least_after[s] > left) {
                state_[s] = 0.0;
                std::fill(next_entry_.begin() + begin, next_entry_.begin() + end, 0.0);
                continue;
            }
            double sum = state_[s] * row_[static_cast<std::size_t>(blank_)];
            for (std::uint32_t e = begin; e < end; ++e) {
                double in = entry_[e];
                for (std::uint32_t i = sources_of_[e]; i < sources_of_[e + 1]; ++i) {
                    const Source& source = sources_[i];
                    in += state_[static_cast<std::size_t>(source.state)] -
                          entry_[static_cast<std::size_t>(source.entry)];
                }
                next_entry_[e] = std::max(in, 0.0) * row_[static_cast<std::size_t>(label_[e])];
                sum += next_entry_[e];
            }
            state_[s] = sum;
            total += sum;
        }
        set_start(state_[0]);
        std::swap(entry_, next_entry_);
        if (!(total > 0.0)) return -std::numeric_limits<double>::infinity();
        scale = 1.0 / total;
        log_scale += std::log(total);
    }
    double mass = 0.0;
    for (std::size_t s = 0; s < states; ++s) mass += state_[s] * automaton_->prior[s];
    return mass > 0.0 ? log_scale + std::log(mass * scale)
                      : -std::numeric_limits<double>::infinity();
}

}  // namespace lprnet
