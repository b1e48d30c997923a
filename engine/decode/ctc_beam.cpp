#include "engine/decode/ctc_beam.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lprnet {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

double add_logs(double a, double b) noexcept {
    if (a < b) std::swap(a, b);
    // Below half a unit in the last place of 1; also where b is minus infinity.
    constexpr double kNegligible = 37.0;
    if (!(a - b < kNegligible)) return a;
    return a + std::log1p(std::exp(b - a));
}

// Of a label behind the prefix of a node; the first node is the empty prefix.
double log_weight(const Automaton* automaton, std::int32_t node, std::int32_t label) noexcept {
    if (automaton == nullptr || node != 0) return 0.0;
    return automaton->log_first[static_cast<std::size_t>(label)];
}

}  // namespace

CtcBeam::CtcBeam(std::size_t time_steps, std::size_t classes, int blank, std::size_t width)
    : time_steps_(time_steps), classes_(classes), blank_(blank), width_(width) {
    reserve();
}

void CtcBeam::reserve() {
    nodes_.reserve(time_steps_ * width_ + 1);
    for (std::vector<Prefix>* prefixes : {&beam_, &next_, &kept_}) prefixes->reserve(width_);
    choices_.reserve(width_);
}

void CtcBeam::search(const Posterior& posterior, const Automaton* automaton) noexcept {
    nodes_.clear();
    nodes_.push_back({kNone, kNone, kNone, kNone, 0});
    beam_.clear();
    beam_.push_back({0, 0, 0.0, kImpossible, 0.0});
    for (std::size_t t = 0; t < posterior.time_steps(); ++t) {
        const auto left = static_cast<std::int32_t>(posterior.time_steps() - 1 - t);
        choices_.clear();
        lowest_ = kImpossible;
        keep_prefixes(posterior.log_p(t), automaton, left);
        extend_prefixes(posterior.log_p(t), automaton, left);
        take_choices();
    }
    found_ = beam_.size();
    if (automaton == nullptr) return;
    const auto end = std::remove_if(beam_.begin(), beam_.end(), [&](const Prefix& prefix) {
        return automaton->prior[static_cast<std::size_t>(prefix.state)] == 0.0;
    });
    found_ = static_cast<std::size_t>(end - beam_.begin());
}

void CtcBeam::enter(const Choice& choice) noexcept {
    if (choices_.size() == width_) {
        std::pop_heap(choices_.begin(), choices_.end(), is_higher);
        choices_.pop_back();
    }
    choices_.push_back(choice);
    std::push_heap(choices_.begin(), choices_.end(), is_higher);
    if (choices_.size() == width_) lowest_ = choices_.front().score;
}

// The same prefix one step later: a blank, its last label once more, or its last label for the
// first time, if the prefix without it is in the beam too.
void CtcBeam::keep_prefixes(const double* log_p, const Automaton* automaton,
                            std::int32_t left) noexcept {
    kept_.clear();
    for (std::size_t i = 0; i < beam_.size(); ++i) {
        const Prefix& prefix = beam_[i];
        const Node& node = nodes_[static_cast<std::size_t>(prefix.node)];
        Prefix later = prefix;
        later.blank = prefix.total + log_p[blank_];
        later.label = kImpossible;
        if (node.label != kNone) {
            later.label = prefix.label + log_p[node.label];
            const Node& parent = nodes_[static_cast<std::size_t>(node.parent)];
            if (parent.place != kNone) {
                const Prefix& before = beam_[static_cast<std::size_t>(parent.place)];
                // Without a blank between them two equal labels are one.
                const double from = parent.label == node.label ? before.blank : before.total;
                later.label =
                    add_logs(later.label, from + log_p[node.label] +
                                              log_weight(automaton, node.parent, node.label));
            }
        }
        later.total = add_logs(later.blank, later.label);
        kept_.push_back(later);
        const auto state = static_cast<std::size_t>(prefix.state);
        if (automaton != nullptr && automaton->least_after[state] > left) continue;
        if (later.total > lowest_) {
            enter({later.total, static_cast<std::int32_t>(i), kNone, prefix.state});
        }
    }
}

// Prefixes that are new to the beam; those that are in it were treated above.
void CtcBeam::extend_prefixes(const double* log_p, const Automaton* automaton,
                              std::int32_t left) noexcept {
    for (std::size_t i = 0; i < beam_.size(); ++i) {
        const Prefix& prefix = beam_[i];
        const std::int32_t last = nodes_[static_cast<std::size_t>(prefix.node)].label;
        // The best prefixes stand first, and no probability or weight is above 1.
        if (!(prefix.total > lowest_)) break;
        const auto extend = [&](std::int32_t label, std::int32_t state) {
            const double score = (label == last ? prefix.blank : prefix.total) + log_p[label] +
                                 log_weight(automaton, prefix.node, label);
            if (!(score > lowest_)) return;
            if (automaton != nullptr &&
                automaton->least_after[static_cast<std::size_t>(state)] > left) {
                return;
            }
            const std::int32_t extended = child(prefix.node, label);
            if (extended != kNone && nodes_[static_cast<std::size_t>(extended)].place != kNone) {
                return;
            }
            enter({score, static_cast<std::int32_t>(i), label, state});
        };
        if (automaton == nullptr) {
            const auto classes = static_cast<std::int32_t>(classes_);
            for (std::int32_t label = 0; label < classes; ++label) {
                if (label != blank_) extend(label, 0);
            }
            continue;
        }
        for (const Automaton::Arc& arc : automaton->arcs_of(prefix.state)) {
            extend(arc.label, arc.target);
        }
    }
}

void CtcBeam::take_choices() noexcept {
    std::sort_heap(choices_.begin(), choices_.end(), is_higher);
    for (const Prefix& prefix : beam_) nodes_[static_cast<std::size_t>(prefix.node)].place = kNone;
    next_.clear();
    for (const Choice& choice : choices_) {
        const auto from = static_cast<std::size_t>(choice.place);
        Prefix prefix = kept_[from];
        if (choice.label != kNone) {
            std::int32_t node = child(prefix.node, choice.label);
            if (node == kNone) {
                Node& parent = nodes_[static_cast<std::size_t>(prefix.node)];
                node = static_cast<std::int32_t>(nodes_.size());
                const std::int32_t sibling = parent.first_child;
                parent.first_child = node;
                nodes_.push_back({prefix.node, choice.label, kNone, sibling, kNone});
            }
            prefix = {node, choice.state, kImpossible, choice.score, choice.score};
        }
        nodes_[static_cast<std::size_t>(prefix.node)].place =
            static_cast<std::int32_t>(next_.size());
        next_.push_back(prefix);
    }
    std::swap(beam_, next_);
}

std::int32_t CtcBeam::child(std::int32_t node, std::int32_t label) const noexcept {
    std::int32_t at = nodes_[static_cast<std::size_t>(node)].first_child;
    while (at != kNone && nodes_[static_cast<std::size_t>(at)].label != label) {
        at = nodes_[static_cast<std::size_t>(at)].next_sibling;
    }
    return at;
}

std::span<std::int32_t> CtcBeam::labels(std::size_t i,
                                        std::span<std::int32_t> labels) const noexcept {
    std::size_t count = 0;
    for (std::int32_t node = beam_[i].node; node != 0;) {
        const Node& n = nodes_[static_cast<std::size_t>(node)];
        labels[count++] = n.label;
        node = n.parent;
    }
    std::reverse(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(count));
    return labels.first(count);
}

}  // namespace lprnet
