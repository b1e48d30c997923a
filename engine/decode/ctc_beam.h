// CTC prefix beam search (Graves 2012; Hannun et al. 2014): the likeliest texts, each with the sum
// over its alignments, in the log domain; free, or among the texts that an automaton accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/decode/automaton.h"
#include "engine/decode/posterior.h"

namespace lprnet {

// With a width of at least the number of prefixes there are, the scores are exact; with a smaller
// one they lack the alignments through prefixes that were dropped. Allocates in the constructor
// and in reserve() alone.
class CtcBeam {
public:
    CtcBeam(std::size_t time_steps, std::size_t classes, int blank, std::size_t width);

    // Takes the memory that search() needs, unless it is there: a copy has none of its own yet.
    void reserve();

    // Keeps the likeliest `width` prefixes at each step. With an automaton a prefix that cannot
    // become an accepted text in the time steps that are left is dropped, and first characters
    // count as they do there. Precondition: reserve().
    void search(const Posterior& posterior, const Automaton* automaton) noexcept;

    // What the last search found, the likeliest first: accepted texts if there was an automaton.
    std::size_t size() const noexcept { return found_; }
    // ln of the probability of text i, without priors of formats.
    double log_probability(std::size_t i) const noexcept { return beam_[i].total; }
    // The labels of text i, written to the front of `labels`, which has room for one a step.
    std::span<std::int32_t> labels(std::size_t i, std::span<std::int32_t> labels) const noexcept;

private:
    static constexpr std::int32_t kNone = -1;

    // Prefixes form a tree, so that equal prefixes are the same node.
    struct Node {
        std::int32_t parent;
        std::int32_t label;
        std::int32_t first_child;
        std::int32_t next_sibling;
        std::int32_t place;  // in beam_, or kNone
    };
    struct Prefix {
        std::int32_t node;
        std::int32_t state;  // of the automaton
        // ln of the sum over alignments so far that end in the blank, in the last label, in either.
        double blank;
        double label;
        double total;
    };
    struct Choice {
        double score;
        std::int32_t place;  // in beam_: the prefix that stays or is extended
        std::int32_t label;  // to extend it with, or kNone
        std::int32_t state;  // after that
    };

    static bool is_higher(const Choice& a, const Choice& b) noexcept { return a.score > b.score; }
    void enter(const Choice& choice) noexcept;
    void keep_prefixes(const double* log_p, const Automaton* automaton, std::int32_t left) noexcept;
    void extend_prefixes(const double* log_p, const Automaton* automaton,
                         std::int32_t left) noexcept;
    void take_choices() noexcept;
    std::int32_t child(std::int32_t node, std::int32_t label) const noexcept;

    std::size_t time_steps_;
    std::size_t classes_;
    std::int32_t blank_;
    std::size_t width_;
    std::size_t found_ = 0;
    std::vector<Node> nodes_;
    std::vector<Prefix> beam_, next_;  // the likeliest first
    std::vector<Prefix> kept_;         // each prefix of beam_ one step later
    std::vector<Choice> choices_;      // a heap, the lowest score in front
    double lowest_ = 0.0;              // what a choice has to exceed to enter
};

}  // namespace lprnet
