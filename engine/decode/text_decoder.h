// Logits to a reading, as DecodeOptions say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/decode/automaton.h"
#include "engine/decode/ctc_forward.h"
#include "engine/decode/posterior.h"
#include "engine/decode/search.h"
#include "lprnet/decoding.h"
#include "lprnet/model.h"
#include "lprnet/result.h"

namespace lprnet {

// Owns the working memory of one decoder; one for each thread. Copies share the automaton.
class TextDecoder {
public:
    // `invalid_argument` for numbers out of range, `mismatch` for patterns of which none can be
    // written with the model's characters. May throw std::bad_alloc.
    static Result<TextDecoder> create(const Model& model, const DecodeOptions& options);

    // Another DecodeOptions::temperature, in its range and not 0.
    void set_temperature(double temperature) noexcept { temperature_ = temperature; }

    // logits: [step][class] before the softmax. Fills `reading` as result.h says; allocates nothing
    // once its strings and vectors have grown.
    void decode(std::span<const float> logits, Reading& reading);

private:
    TextDecoder(const Model& model, const DecodeOptions& options,
                std::shared_ptr<const Automaton> automaton);

    void weigh_texts() noexcept;
    void rank_texts() noexcept;
    void fill_candidates(double log_norm, Reading& reading);
    void fill_characters(const FoundTexts::Text& best, Reading& reading);
    void weigh_replacements(std::span<const std::int32_t> labels) noexcept;

    Model model_;
    double temperature_;
    std::size_t time_steps_;
    std::size_t classes_;
    std::size_t most_candidates_;
    std::shared_ptr<const Automaton> automaton_;  // null without patterns
    Posterior posterior_;
    OwnedSearch search_;
    CtcText text_;
    FoundTexts found_;  // ranked, the likeliest first
    std::vector<CtcText::Span> spans_;
    std::vector<double> weights_;       // [character][class]
    std::vector<std::int32_t> states_;  // of the automaton, before each character
    std::vector<Candidate> spare_;      // with memory for their texts, so that readings
                                        // of changing numbers of candidates allocate nothing
};

}  // namespace lprnet
