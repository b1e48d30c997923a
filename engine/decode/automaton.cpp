// Formats to positions (Glushkov), positions to states (subset construction), equal states merged.
#include "engine/decode/automaton.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "engine/decode/cn_patterns.h"
#include "engine/text/printable.h"
#include "engine/text/utf8.h"
#include "lprnet/decoding.h"

namespace lprnet {
namespace {

using Kind = PatternNode::Kind;
using Set = std::vector<std::uint32_t>;  // sorted, each once

// Bounds for hostile patterns: the built-in set has 143 states with all its characters.
constexpr std::size_t kMaxStates = 2048;
constexpr std::size_t kMaxTableEntries = std::size_t{1} << 22;
// Of arcs: what is built from them, and each reading, takes time for every one.
constexpr std::size_t kMaxArcs = std::size_t{1} << 16;

// What the construction has cost so far, in elements of sets that were written or compared. The
// built-in set needs 70 thousand, three formats of up to 64 characters each 74 thousand.
class Work {
public:
    // False once there was too much.
    bool add(std::size_t steps) noexcept {
        done_ += steps;
        return ok();
    }
    bool ok() const noexcept { return done_ <= kMaxSteps; }

private:
    static constexpr std::size_t kMaxSteps = std::size_t{1} << 22;
    std::size_t done_ = 0;
};

Set unite(const Set& a, const Set& b, Work& work) {
    if (!work.add(a.size() + b.size())) return {};
    Set both;
    both.reserve(a.size() + b.size());
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both;
}

// The code point of a charset entry that is one character; 0 for longer ones, which only `?` has.
char32_t code_point(const std::string& text) {
    if (text.empty()) return 0;
    const CodePoint character = decode_code_point(text);
    return character.size == text.size() ? character.code : 0;
}

// A position is one character of the patterns written out; a set of them is a state.
struct Position {
    std::vector<std::int32_t> labels;
    std::size_t follow = 0;  // index in Positions::follows
};

// Built from the end to the start: what may follow a piece is known before the piece. A piece that
// cannot be written, or is followed by one that cannot, has no first position.
class Positions {
public:
    Positions(const PatternFile& file, const std::vector<std::string>& charset, int blank,
              Work& work)
        : file_(file), work_(work) {
        for (std::size_t c = 0; c < charset.size(); ++c) {
            if (static_cast<int>(c) == blank) continue;
            all_.push_back(static_cast<std::int32_t>(c));
            if (const char32_t point = code_point(charset[c]); point != 0) {
                label_[point] = static_cast<std::int32_t>(c);
            }
        }
        // The first ones are the ends, one for each format.
        positions_.resize(file.formats.size());
    }

    // The first positions of the format.
    Set add_format(std::size_t format) {
        return prepend(file_.roots[format], {static_cast<std::uint32_t>(format)});
    }

    const Position& operator[](std::uint32_t i) const { return positions_[i]; }
    const Set& follow(std::uint32_t i) const { return follows_[positions_[i].follow]; }
    bool is_end(std::uint32_t i) const { return i < file_.formats.size(); }

private:
    // The first positions of node `index` followed by `rest`; `rest` itself where it may be empty.
    Set prepend(std::uint32_t index, const Set& rest) {
        if (rest.empty() || !work_.add(1)) return {};
        const PatternNode& node = file_.nodes[index];
        switch (node.kind) {
            case Kind::any: return add(all_, rest);
            case Kind::characters: {
                std::vector<std::int32_t> labels;
                work_.add(node.characters.size());
                for (const char32_t c : node.characters) {
                    if (const auto it = label_.find(c); it != label_.end()) {
                        labels.push_back(it->second);
                    }
                }
                return add(std::move(labels), rest);
            }
            case Kind::sequence: {
                Set first = rest;
                for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part) {
                    first = prepend(*part, first);
                }
                return first;
            }
            case Kind::choice: {
                Set first;
                for (const std::uint32_t part : node.parts) {
                    first = unite(first, prepend(part, rest), work_);
                }
                return first;
            }
            case Kind::repeat: {
                // x{1,3} r is x (x (x r | r) | r): what may be missing stands at the end.
                Set first = rest;
                for (std::uint32_t i = node.least; i < node.most; ++i) {
                    first = unite(prepend(node.parts[0], first), rest, work_);
                }
                for (std::uint32_t i = 0; i < node.least; ++i) {
                    first = prepend(node.parts[0], first);
                }
                return first;
            }
        }
        return {};
    }

    Set add(std::vector<std::int32_t> labels, const Set& rest) {
        if (labels.empty() || !work_.add(labels.size() + rest.size())) return {};
        if (follows_.empty() || follows_.back() != rest) follows_.push_back(rest);
        positions_.push_back({std::move(labels), follows_.size() - 1});
        return {static_cast<std::uint32_t>(positions_.size() - 1)};
    }

    const PatternFile& file_;
    Work& work_;
    std::vector<std::int32_t> all_;
    std::map<char32_t, std::int32_t> label_;
    std::vector<Position> positions_;
    std::vector<Set> follows_;
};

struct State {
    std::uint64_t formats = 0;                   // one bit each: texts may end here
    std::map<std::int32_t, std::uint32_t> next;  // label to state
    bool operator<(const State& other) const {
        return std::tie(formats, next) < std::tie(other.formats, other.next);
    }
};

// State 0 is the start; targets have higher numbers or were reached on another way. False if there
// were too many.
bool find_states(const Positions& positions, Set start, Work& work, std::vector<State>& states) {
    std::map<Set, std::uint32_t> number = {{start, 0}};
    std::vector<Set> sets = {std::move(start)};
    std::size_t arcs = 0;
    for (std::size_t s = 0; s < sets.size(); ++s) {
        State state;
        std::map<std::int32_t, Set> next;
        for (const std::uint32_t position : sets[s]) {
            if (positions.is_end(position)) {
                state.formats |= std::uint64_t{1} << position;
                continue;
            }
            for (const std::int32_t label : positions[position].labels) {
                Set& set = next[label];
                set = unite(set, positions.follow(position), work);
            }
            if (!work.ok()) return false;
        }
        arcs += next.size();
        for (auto& [label, set] : next) {
            if (!work.add(set.size())) return false;
            const auto [it, is_new] =
                number.try_emplace(set, static_cast<std::uint32_t>(sets.size()));
            if (is_new) sets.push_back(std::move(set));
            state.next[label] = it->second;
        }
        states.push_back(std::move(state));
        if (sets.size() > kMaxStates || arcs > kMaxArcs) return false;
    }
    return true;
}

// Merges states with the same rests, from the ends to the start; numbers the start 0.
void merge_states(std::vector<State>& states) {
    std::vector<std::uint32_t> order;  // every state behind its targets
    std::vector<bool> seen(states.size());
    // Depth first without recursion: a state is entered, and left when its targets have been.
    std::vector<std::pair<std::uint32_t, bool>> stack = {{0, false}};
    while (!stack.empty()) {
        const auto [s, left] = stack.back();
        stack.pop_back();
        if (left) {
            order.push_back(s);
        } else if (!seen[s]) {
            seen[s] = true;
            stack.push_back({s, true});
            for (const auto& [label, target] : states[s].next) {
                if (!seen[target]) stack.push_back({target, false});
            }
        }
    }

    std::vector<std::uint32_t> merged(states.size());
    std::map<State, std::uint32_t> number;
    std::vector<State> kept;
    for (const std::uint32_t s : order) {
        for (auto& [label, target] : states[s].next) target = merged[target];
        const auto [it, is_new] =
            number.try_emplace(states[s], static_cast<std::uint32_t>(kept.size()));
        if (is_new) kept.push_back(states[s]);
        merged[s] = it->second;
    }
    // The start came last.
    const auto last = static_cast<std::uint32_t>(kept.size() - 1);
    std::reverse(kept.begin(), kept.end());
    for (State& state : kept) {
        for (auto& [label, target] : state.next) target = last - target;
    }
    states = std::move(kept);
}

Automaton to_tables(const std::vector<State>& states, std::size_t classes,
                    const std::vector<Patterns::Format>& formats) {
    Automaton a;
    const std::size_t count = states.size();
    constexpr std::int32_t kFar = 1 << 30;
    a.classes = classes;
    a.target.assign(count * classes, Automaton::kNone);
    a.prior.assign(count, 0.0);
    a.format.assign(count, Automaton::kNone);
    a.log_first.assign(classes, 0.0);
    a.least_before.assign(count, kFar);
    a.least_after.assign(count, kFar);
    a.least_before[0] = 0;
    // Sources have lower numbers than their targets.
    for (std::size_t s = 0; s < count; ++s) {
        a.begin.push_back(static_cast<std::uint32_t>(a.arcs.size()));
        for (const auto& [label, target] : states[s].next) {
            a.arcs.push_back({label, static_cast<std::int32_t>(target)});
            a.target[s * classes + static_cast<std::size_t>(label)] =
                static_cast<std::int32_t>(target);
            a.least_before[target] = std::min(a.least_before[target], a.least_before[s] + 1);
        }
        double highest = 0.0;
        for (std::size_t f = 0; f < formats.size(); ++f) {
            if ((states[s].formats >> f & 1) == 0) continue;
            a.prior[s] += formats[f].prior;
            if (formats[f].prior > highest) {
                highest = formats[f].prior;
                a.format[s] = static_cast<std::int32_t>(f);
            }
        }
    }
    a.begin.push_back(static_cast<std::uint32_t>(a.arcs.size()));
    for (std::size_t s = count; s-- > 0;) {
        if (a.prior[s] > 0.0) a.least_after[s] = 0;
        for (const auto& [label, target] : states[s].next) {
            a.least_after[s] = std::min(a.least_after[s], a.least_after[target] + 1);
        }
    }
    return a;
}

}  // namespace

std::int32_t Automaton::walk(std::span<const std::int32_t> labels) const noexcept {
    std::int32_t state = 0;
    for (const std::int32_t label : labels) {
        state = next(state, label);
        if (state == kNone) break;
    }
    return state;
}

double Automaton::prior_of(std::span<const std::int32_t> labels) const noexcept {
    const std::int32_t state = walk(labels);
    return state == kNone ? 0.0 : prior[static_cast<std::size_t>(state)];
}

std::vector<bool> writable_formats(const PatternFile& file, const std::vector<std::string>& charset,
                                   int blank) {
    std::set<char32_t> characters;  // 0 for those that only `?` stands for
    for (std::size_t c = 0; c < charset.size(); ++c) {
        if (static_cast<int>(c) != blank) characters.insert(code_point(charset[c]));
    }
    // Parts stand before what they are a part of.
    std::vector<bool> writable;
    for (const PatternNode& node : file.nodes) {
        const auto is_writable = [&](std::uint32_t part) { return writable[part]; };
        switch (node.kind) {
            case Kind::any: writable.push_back(!characters.empty()); break;
            case Kind::characters:
                writable.push_back(std::any_of(node.characters.begin(), node.characters.end(),
                                               [&](char32_t c) { return characters.contains(c); }));
                break;
            case Kind::sequence:
                writable.push_back(std::all_of(node.parts.begin(), node.parts.end(), is_writable));
                break;
            case Kind::choice:
                writable.push_back(std::any_of(node.parts.begin(), node.parts.end(), is_writable));
                break;
            case Kind::repeat:
                writable.push_back(node.least == 0 || writable[node.parts[0]]);
                break;
        }
    }
    std::vector<bool> formats;
    for (const std::uint32_t root : file.roots) formats.push_back(writable[root]);
    return formats;
}

Result<Automaton> build_automaton(const PatternFile& file, const std::vector<std::string>& charset,
                                  int blank) {
    Work work;
    Positions positions(file, charset, blank, work);
    Set start;
    for (std::size_t f = 0; f < file.formats.size(); ++f) {
        start = unite(start, positions.add_format(f), work);
    }
    if (start.empty() && work.ok()) {
        return Error{ErrorCode::mismatch,
                     "patterns: none of " + std::to_string(file.formats.size()) +
                         " formats can be written with the characters of this model"};
    }
    std::vector<State> states;
    if (!work.ok() || !find_states(positions, std::move(start), work, states) ||
        states.size() * charset.size() > kMaxTableEntries) {
        return Error{ErrorCode::mismatch, "patterns: the formats need an automaton of more than " +
                                              std::to_string(kMaxStates) + " states or " +
                                              std::to_string(kMaxArcs) +
                                              " arcs, or too long to be made into one; make them "
                                              "simpler"};
    }
    merge_states(states);
    return to_tables(states, charset.size(), file.formats);
}

Status weigh_provinces(Automaton& automaton, std::string_view chosen,
                       const std::vector<std::string>& charset) {
    if (chosen.empty()) return {};
    const std::vector<std::string> preferred = split_characters(chosen);
    const std::vector<std::string> provinces = split_characters(cn_provinces());
    const auto is_among = [](const std::string& character, const std::vector<std::string>& all) {
        return std::find(all.begin(), all.end(), character) != all.end();
    };
    const auto is_written_as = [&](const Automaton::Arc& arc, const std::string& character) {
        return charset[static_cast<std::size_t>(arc.label)] == character;
    };
    const std::span<const Automaton::Arc> first = automaton.arcs_of(0);
    for (const std::string& character : preferred) {
        if (!is_among(character, provinces)) {
            return Error{
                ErrorCode::invalid_argument,
                "provinces: expected some such as 粤 or 京津冀, found " + in_quotes(character)};
        }
        if (std::none_of(first.begin(), first.end(), [&](const Automaton::Arc& arc) {
                return is_written_as(arc, character);
            })) {
            return Error{ErrorCode::mismatch,
                         "provinces: no format that this model can write begins with " +
                             in_quotes(character)};
        }
    }
    double preferred_count = 0.0, all = 0.0;
    for (const Automaton::Arc& arc : first) {
        const std::string& character = charset[static_cast<std::size_t>(arc.label)];
        if (is_among(character, provinces)) ++all;
        if (is_among(character, preferred)) ++preferred_count;
    }
    // As if provinces had been equally frequent: their mean weight is what all others count.
    const double mean = (preferred_count + (all - preferred_count) / kProvinceWeight) / all;
    for (const Automaton::Arc& arc : first) {
        const auto label = static_cast<std::size_t>(arc.label);
        if (is_among(charset[label], preferred)) continue;
        automaton.log_first[label] =
            std::log(is_among(charset[label], provinces) ? 1.0 / kProvinceWeight : mean);
    }
    return {};
}

}  // namespace lprnet
