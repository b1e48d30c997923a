#include "engine/decode/beam_search.h"

namespace lprnet {

BeamSearch::BeamSearch(const SearchOptions& options)
    : width_(options.beam_width),
      beam_(options.time_steps, options.classes, options.blank, options.beam_width) {}

BeamSearch::BeamSearch(const BeamSearch& other)
    : Search(other), width_(other.width_), beam_(other.beam_) {
    beam_.reserve();
}

std::unique_ptr<Search> BeamSearch::clone() const {
    return std::unique_ptr<Search>(new BeamSearch(*this));
}

void BeamSearch::find(const Posterior& posterior, std::span<const float> /*logits*/,
                      FoundTexts& found) noexcept {
    find_among(nullptr, posterior, found);
}

void BeamSearch::find_among(const Automaton* automaton, const Posterior& posterior,
                            FoundTexts& found) noexcept {
    beam_.search(posterior, automaton);
    for (std::size_t i = 0; i < beam_.size(); ++i) {
        const std::span<const std::int32_t> labels = beam_.labels(i, found.next_labels());
        const double log_weight = automaton != nullptr ? automaton->log_first_of(labels) : 0.0;
        found.add(labels.size(), beam_.log_probability(i) - log_weight);
    }
}

std::unique_ptr<Search> make_beam_search(const SearchOptions& options) {
    return std::make_unique<BeamSearch>(options);
}

}  // namespace lprnet
