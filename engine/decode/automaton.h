// Plate formats as one deterministic automaton over the classes of a charset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decode/pattern_file.h"
#include "lprnet/error.h"

namespace lprnet {

// Texts are finite, so there is no cycle; every state lies on the way to an accepted text, and no
// two states accept the same rests. State 0 is the start.
struct Automaton {
    struct Arc {
        std::int32_t label;  // class of the charset
        std::int32_t target;
    };
    static constexpr std::int32_t kNone = -1;

    std::size_t classes = 0;
    // Arcs of state s, by label: arcs[begin[s]] to arcs[begin[s + 1]].
    std::vector<std::uint32_t> begin;
    std::vector<Arc> arcs;
    // [state][class]: the arcs once more, for looking up one; kNone where there is none.
    std::vector<std::int32_t> target;
    // Of texts that end in a state: the sum of the priors of the formats that they have, 0 if none,
    // and the one with the highest prior, kNone if none.
    std::vector<double> prior;
    std::vector<std::int32_t> format;
    // [class] ln of the weight of texts that begin with it, at most 0; other than 0 only with
    // chosen provinces.
    std::vector<double> log_first;
    // Characters from the start and to the nearest end.
    std::vector<std::int32_t> least_before;
    std::vector<std::int32_t> least_after;

    std::size_t states() const noexcept { return prior.size(); }
    std::span<const Arc> arcs_of(std::int32_t state) const noexcept {
        const auto s = static_cast<std::size_t>(state);
        return std::span(arcs).subspan(begin[s], begin[s + 1] - begin[s]);
    }
    std::int32_t next(std::int32_t state, std::int32_t label) const noexcept {
        return target[static_cast<std::size_t>(state) * classes + static_cast<std::size_t>(label)];
    }
    // The state that the labels lead to from the start, or kNone.
    std::int32_t walk(std::span<const std::int32_t> labels) const noexcept;
    // The prior of a text, 0 if it has no format.
    double prior_of(std::span<const std::int32_t> labels) const noexcept;
    double log_first_of(std::span<const std::int32_t> labels) const noexcept {
        return labels.empty() ? 0.0 : log_first[static_cast<std::size_t>(labels.front())];
    }
};

// For each format whether any text of it can be written. The blank is no character.
std::vector<bool> writable_formats(const PatternFile& file, const std::vector<std::string>& charset,
                                   int blank);

// `mismatch` if no format can be written with the charset, or the automaton were too large.
Result<Automaton> build_automaton(const PatternFile& file, const std::vector<std::string>& charset,
                                  int blank);

// Texts that begin with one of the chosen provinces count kProvinceWeight times as much as those of
// the other provinces; the share of all that begin with a province stays. Empty: nothing changes.
// `invalid_argument` for anything but provinces, `mismatch` for one that no text
// begins with.
Status weigh_provinces(Automaton& automaton, std::string_view chosen,
                       const std::vector<std::string>& charset);

}  // namespace lprnet
