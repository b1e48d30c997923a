// Exact sums over CTC alignments: of one text, of its characters, of all texts of an automaton.
// Probabilities are scaled at every step, so that nothing comes near the end of a double's range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/decode/automaton.h"
#include "engine/decode/posterior.h"

namespace lprnet {

// ln of the probability of one text: the forward pass of Graves et al. 2006, eq. 5 to 8. Also where
// its characters stand and what could stand there instead. Allocates in the constructor alone.
class CtcText {
public:
    CtcText(std::size_t time_steps, std::size_t classes, int blank);

    // Minus infinity if the text does not fit into the time steps.
    double log_probability(const Posterior& posterior,
                           std::span<const std::int32_t> labels) noexcept;

    struct Span {
        std::int32_t first_step, last_step;
    };
    // The run of each label in the likeliest alignment, written to `spans`. The text must fit.
    void align(const Posterior& posterior, std::span<const std::int32_t> labels,
               std::span<Span> spans) noexcept;

    // weights[i * classes + c] = P(text with label i replaced by c) / P(text), from one pass
    // forward and one backward, instead of a forward pass for each. 0 for the blank. The text
    // must have been the last one given to log_probability(), and fit.
    void replace_each(const Posterior& posterior, std::span<const std::int32_t> labels,
                      std::span<double> weights) noexcept;

private:
    // Position s of the text with blanks around each label: even ones are the blank.
    std::int32_t label_at(std::span<const std::int32_t> labels, std::size_t s) const noexcept {
        return s % 2 == 0 ? blank_ : labels[s / 2];
    }
    static bool may_skip(std::span<const std::int32_t> labels, std::size_t s) noexcept {
        return s % 2 == 1 && s >= 3 && labels[s / 2] != labels[s / 2 - 1];
    }
    // Follows `from_` to the front, from the position of the last step.
    void trace_back(std::size_t time_steps, std::size_t last, std::span<Span> spans) const noexcept;
    void run_backward(const Posterior& posterior, std::span<const std::int32_t> labels) noexcept;

    // Probabilities of what stands before and behind a run of label i at step t, by whether the
    // blank or a label is next to it.
    struct Surroundings {
        double blank_before, label_before, blank_after, label_after;
        double before() const noexcept { return blank_before + label_before; }
        double after() const noexcept { return blank_after + label_after; }
    };
    Surroundings around(const Posterior& posterior, std::span<const std::int32_t> labels,
                        std::size_t i, std::size_t t) const noexcept;
    void replace(const Posterior& posterior, std::span<const std::int32_t> labels, std::size_t i,
                 std::span<double> weight) noexcept;

    std::int32_t blank_;
    std::size_t row_;                 // positions of the longest text
    std::vector<double> forward_;     // [step][position], scaled to a sum of 1
    std::vector<double> backward_;    // the same, divided by the same scales
    std::vector<double> scale_;       // of each step
    std::vector<double> best_;        // two rows of the alignment
    std::vector<std::uint8_t> from_;  // [step][position]: how many positions back it came from
    std::vector<double> run_;         // one for each class
};

// The probability that the text is one of the automaton's, each counted with its prior and the
// weight of its first character: the forward pass over pairs of a state and the label that led
// there. Allocates in the constructor alone; the automaton has to outlive it.
class CtcMass {
public:
    CtcMass(const Automaton& automaton, int blank);

    // The logarithm; minus infinity if no text fits into the time steps.
    double log_mass(const Posterior& posterior) noexcept;

private:
    struct Source {
        std::int32_t state;
        std::int32_t entry;  // (that state, the same label), or the one that stays zero
    };
    const Automaton* automaton_;
    std::int32_t blank_;
    // Entries are the pairs (state, label), those of state s are entries_of_[s] to [s + 1].
    std::vector<std::uint32_t> entries_of_;
    std::vector<std::int32_t> label_;
    std::vector<std::uint32_t> sources_of_;
    std::vector<Source> sources_;
    // Mass of alignments that end in the label of an entry, and with those that end in the blank.
    // Behind the states the start once more for each label, times its weight as a first character.
    std::vector<double> entry_, next_entry_, state_;
    std::vector<double> first_;  // those weights
    std::vector<double> row_;
};

}  // namespace lprnet
