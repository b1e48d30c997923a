// What the decoders with a beam have in common.
#pragma once

#include "engine/decode/ctc_beam.h"
#include "engine/decode/search.h"

namespace lprnet {

// Decoder::beam: the likeliest texts.
class BeamSearch : public Search {
public:
    explicit BeamSearch(const SearchOptions& options);

    std::unique_ptr<Search> clone() const override;
    std::size_t most_texts() const noexcept override { return width_; }
    void find(const Posterior& posterior, std::span<const float> logits,
              FoundTexts& found) noexcept override;

protected:
    BeamSearch(const BeamSearch& other);

    // Among all texts, or those that the automaton accepts.
    void find_among(const Automaton* automaton, const Posterior& posterior,
                    FoundTexts& found) noexcept;

private:
    std::size_t width_;
    CtcBeam beam_;
};

}  // namespace lprnet
