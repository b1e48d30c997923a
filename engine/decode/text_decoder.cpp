#include "engine/decode/text_decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "engine/decode/compiled_decoders.h"
#include "engine/text/listed_names.h"

namespace lprnet {
namespace {

constexpr std::size_t kUtf8Bytes = 4;  // of the longest character

// What the search dropped is missing from its scores; so many more than are asked for are scored
// exactly before they are ranked.
constexpr std::size_t kAlsoScored = 4;

std::size_t beam_width(const DecodeOptions& options) {
    constexpr int kLeastWidth = 10;
    const int chosen = std::max(kLeastWidth, 2 * options.candidates + 4);
    return static_cast<std::size_t>(options.beam_width > 0 ? options.beam_width : chosen);
}

std::string names_with_formats() {
    std::vector<DecoderTraits> with_formats;
    std::copy_if(std::begin(kDecoders), std::end(kDecoders), std::back_inserter(with_formats),
                 [](const DecoderTraits& traits) { return traits.needs_formats; });
    return "the decoder " + listed_names(with_formats, " or ");
}

Status check(const DecodeOptions& options) {
    const auto bad = [](const std::string& what) {
        return Error{ErrorCode::invalid_argument, "decoding: " + what};
    };
    if (traits_of(options.decoder).name.empty()) {
        return bad("expected " + listed_names(kDecoders, " or ") + ", found value " +
                   std::to_string(static_cast<int>(options.decoder)));
    }
    if (!is_compiled(options.decoder) || (kGreedyOnly && options.patterns)) {
        return Error{ErrorCode::unsupported,
                     "decoding: this build has no decoder but greedy, and no formats"};
    }
    if (options.candidates < 1 || options.candidates > kMaxCandidates) {
        return bad("expected 1 to " + std::to_string(kMaxCandidates) + " candidates, found " +
                   std::to_string(options.candidates));
    }
    if (options.beam_width < 0 || options.beam_width > kMaxBeamWidth) {
        return bad("expected a beam of 1 to " + std::to_string(kMaxBeamWidth) +
                   " prefixes, or 0, found " + std::to_string(options.beam_width));
    }
    if (options.temperature != 0.0 &&
        !(options.temperature >= kLeastTemperature && options.temperature <= kMostTemperature)) {
        return bad("expected a temperature of 0.05 to 20, or 0, found " +
                   std::to_string(options.temperature));
    }
    if (!options.provinces.empty() && !traits_of(options.decoder).needs_formats) {
        return bad("provinces are for " + names_with_formats() + ", found " +
                   std::string(traits_of(options.decoder).name));
    }
    return {};
}

Result<Automaton> automaton_for(const Model& model, const DecodeOptions& options) {
    if (options.patterns) {
        return build_automaton(options.patterns->file(), model.charset(), model.blank());
    }
    Result<Patterns> cn = Patterns::builtin("cn");
    if (!cn) return cn.error();
    return build_automaton(cn->file(), model.charset(), model.blank());
}

// Null if the options ask for no formats, or if a decoder that can do without has none that fit.
[[maybe_unused]] Result<std::shared_ptr<const Automaton>> formats_for(
    const Model& model, const DecodeOptions& options) {
    const bool needed = traits_of(options.decoder).needs_formats;
    if (!options.patterns && !needed) return std::shared_ptr<const Automaton>();
    Result<Automaton> built = automaton_for(model, options);
    if (!built && needed) return built.error();
    if (!built) return std::shared_ptr<const Automaton>();
    const Status weighed = weigh_provinces(*built, options.provinces, model.charset());
    if (!weighed) return weighed.error();
    return std::make_shared<const Automaton>(std::move(*built));
}

float to_probability(double log_p) {
    return static_cast<float>(std::exp(std::min(log_p, 0.0)));
}

// 0 where numbers of no real network went beyond the range of a double.
float to_share(double weight, double sum) {
    const double share = weight / sum;
    return share > 0.0 ? static_cast<float>(std::min(share, 1.0)) : 0.0f;
}

}  // namespace

Result<TextDecoder> TextDecoder::create(const Model& model, const DecodeOptions& options) {
    if (Status status = check(options); !status) return status.error();
    std::shared_ptr<const Automaton> automaton;
    if constexpr (!kGreedyOnly) {
        Result<std::shared_ptr<const Automaton>> formats = formats_for(model, options);
        if (!formats) return formats.error();
        automaton = std::move(*formats);
    }
    return TextDecoder(model, options, std::move(automaton));
}

TextDecoder::TextDecoder(const Model& model, const DecodeOptions& options,
                         std::shared_ptr<const Automaton> automaton)
    : model_(model),
      temperature_(options.temperature > 0.0 ? options.temperature : model.temperature()),
      time_steps_(static_cast<std::size_t>(model.steps())),
      classes_(model.charset().size()),
      most_candidates_(traits_of(options.decoder).one_candidate
                           ? 1
                           : static_cast<std::size_t>(options.candidates)),
      automaton_(std::move(automaton)),
      posterior_(time_steps_, classes_),
      search_(make_search(options.decoder,
                          {time_steps_, classes_, model.blank(), beam_width(options), automaton_})),
      text_(time_steps_, classes_, model.blank()),
      found_(search_->most_texts(), time_steps_),
      spans_(time_steps_),
      weights_(time_steps_ * classes_),
      states_(time_steps_ + 1),
      spare_(most_candidates_) {
    for (Candidate& candidate : spare_) candidate.text.reserve(time_steps_ * kUtf8Bytes);
}

void TextDecoder::decode(std::span<const float> logits, Reading& reading) {
    found_.reserve();
    found_.clear();
    posterior_.set(logits, temperature_);
    search_->find(posterior_, logits, found_);
    weigh_texts();
    rank_texts();
    fill_candidates(search_->log_norm(posterior_), reading);
    reading.text.clear();
    reading.text.reserve(time_steps_ * kUtf8Bytes);
    reading.characters.reserve(time_steps_);
    reading.confidence = 0.0f;
    reading.reject_score = 1.0f;
    if (found_.texts().empty()) {
        reading.characters.clear();
        return;
    }
    reading.text += reading.candidates.front().text;
    reading.confidence = reading.candidates.front().confidence;
    if (!reading.text.empty()) {
        const FoundTexts::Text& best = found_.texts().front();
        // Plates from elsewhere are plates, too.
        const double log_first =
            search_->weighs_formats() ? automaton_->log_first_of(found_.labels_of(best)) : 0.0;
        reading.reject_score = 1.0f - to_probability(best.log_weight - log_first);
    }
    fill_characters(found_.texts().front(), reading);
}

void TextDecoder::weigh_texts() noexcept {
    if (!automaton_) return;
    for (FoundTexts::Text& text : found_.texts()) {
        const std::int32_t state = automaton_->walk(found_.labels_of(text));
        if (state == Automaton::kNone) continue;
        const auto s = static_cast<std::size_t>(state);
        text.format = automaton_->format[s];
        if (search_->weighs_formats()) {
            text.log_weight +=
                std::log(automaton_->prior[s]) + automaton_->log_first_of(found_.labels_of(text));
        }
    }
}

void TextDecoder::rank_texts() noexcept {
    const auto is_likelier = [](const FoundTexts::Text& a, const FoundTexts::Text& b) {
        return a.log_weight > b.log_weight;
    };
    std::vector<FoundTexts::Text>& texts = found_.texts();
    std::sort(texts.begin(), texts.end(), is_likelier);
    if (texts.size() > most_candidates_ + kAlsoScored) {
        texts.resize(most_candidates_ + kAlsoScored);
    }
    for (FoundTexts::Text& text : texts) {
        const double log_p = text_.log_probability(posterior_, found_.labels_of(text));
        text.log_weight += log_p - text.log_p;
        text.log_p = log_p;
    }
    std::sort(texts.begin(), texts.end(), is_likelier);
    if (texts.size() > most_candidates_) texts.resize(most_candidates_);
}

void TextDecoder::fill_candidates(double log_norm, Reading& reading) {
    const std::vector<FoundTexts::Text>& texts = found_.texts();
    reading.candidates.reserve(most_candidates_);
    while (reading.candidates.size() > texts.size()) {
        if (spare_.size() < most_candidates_)
            spare_.push_back(std::move(reading.candidates.back()));
        reading.candidates.pop_back();
    }
    while (reading.candidates.size() < texts.size()) {
        if (spare_.empty()) {
            reading.candidates.emplace_back();
        } else {
            reading.candidates.push_back(std::move(spare_.back()));
            spare_.pop_back();
        }
    }
    const std::vector<std::string>& charset = model_.charset();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        Candidate& candidate = reading.candidates[i];
        candidate.text.clear();
        candidate.text.reserve(time_steps_ * kUtf8Bytes);
        for (const std::int32_t label : found_.labels_of(texts[i])) {
            candidate.text += charset[static_cast<std::size_t>(label)];
        }
        candidate.confidence = to_probability(texts[i].log_weight - log_norm);
        candidate.format = texts[i].format;
    }
}

void TextDecoder::fill_characters(const FoundTexts::Text& best, Reading& reading) {
    const std::span<const std::int32_t> labels = found_.labels_of(best);
    text_.align(posterior_, labels, std::span(spans_).first(labels.size()));
    weigh_replacements(labels);

    const std::vector<std::string>& charset = model_.charset();
    reading.characters.resize(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        Character& character = reading.characters[i];
        const double* weight = weights_.data() + i * classes_;
        double sum = 0.0;
        for (std::size_t c = 0; c < classes_; ++c) sum += weight[c];
        const auto chosen = static_cast<std::size_t>(labels[i]);
        character.text = charset[chosen];
        character.confidence = to_share(weight[chosen], sum);
        character.first_step = spans_[i].first_step;
        character.last_step = spans_[i].last_step;

        constexpr double kLeastShare = 0.001;
        std::array<std::size_t, std::tuple_size_v<decltype(Character::alternatives)>> others;
        std::size_t count = 0;
        for (std::size_t c = 0; c < classes_; ++c) {
            if (c == chosen || !(weight[c] >= kLeastShare * sum)) continue;
            std::size_t at = count < others.size() ? count++ : others.size();
            for (; at > 0 && weight[others[at - 1]] < weight[c]; --at) {
                if (at < others.size()) others[at] = others[at - 1];
            }
            if (at < others.size()) others[at] = c;
        }
        character.alternative_count = static_cast<int>(count);
        for (std::size_t k = 0; k < character.alternatives.size(); ++k) {
            Alternative& other = character.alternatives[k];
            other.text.clear();
            if (k < count) other.text += charset[others[k]];
            other.confidence = k < count ? to_share(weight[others[k]], sum) : 0.0f;
        }
    }
}

// weights_: of the text with each character replaced, relative to the text; with a search that
// weighs formats times the prior, also relative.
void TextDecoder::weigh_replacements(std::span<const std::int32_t> labels) noexcept {
    text_.log_probability(posterior_, labels);
    text_.replace_each(posterior_, labels, weights_);
    if (!search_->weighs_formats()) return;
    states_[0] = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        states_[i + 1] = automaton_->next(states_[i], labels[i]);
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
        for (std::size_t c = 0; c < classes_; ++c) {
            std::int32_t state = automaton_->next(states_[i], static_cast<std::int32_t>(c));
            if (i == 0) weights_[c] *= std::exp(automaton_->log_first[c]);
            for (std::size_t k = i + 1; state != Automaton::kNone && k < labels.size(); ++k) {
                // Equal states go on alike, and the rest of the text itself is accepted.
                if (state == states_[k]) {
                    state = states_[labels.size()];
                    break;
                }
                state = automaton_->next(state, labels[k]);
            }
            weights_[i * classes_ + c] *= state == Automaton::kNone
                                              ? 0.0
                                              : automaton_->prior[static_cast<std::size_t>(state)];
        }
    }
}

}  // namespace lprnet
