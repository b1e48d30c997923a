// Decoder::grammar: the likeliest texts among those that have one of the formats, each times the
// prior of its format.
#include "engine/decode/beam_search.h"
#include "engine/decode/ctc_forward.h"

namespace lprnet {
namespace {

class GrammarSearch final : public BeamSearch {
public:
    explicit GrammarSearch(const SearchOptions& options)
        : BeamSearch(options), automaton_(options.automaton), mass_(*automaton_, options.blank) {}

    std::unique_ptr<Search> clone() const override {
        return std::make_unique<GrammarSearch>(*this);
    }

    void find(const Posterior& posterior, std::span<const float> /*logits*/,
              FoundTexts& found) noexcept override {
        find_among(automaton_.get(), posterior, found);
    }

    bool weighs_formats() const noexcept override { return true; }
    double log_norm(const Posterior& posterior) noexcept override {
        return mass_.log_mass(posterior);
    }

private:
    std::shared_ptr<const Automaton> automaton_;
    CtcMass mass_;  // of *automaton_
};

}  // namespace

std::unique_ptr<Search> make_grammar_search(const SearchOptions& options) {
    return std::make_unique<GrammarSearch>(options);
}

}  // namespace lprnet
