#include "engine/decode/text_decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "engine/decode/ctc_greedy.h"

namespace lprnet {
namespace {

constexpr int kMostCandidates = 100;
constexpr int kWidestBeam = 1000;
constexpr double kLeastTemperature = 0.05;
constexpr double kHighestTemperature = 20.0;
constexpr std::size_t kUtf8Bytes = 4;  // of the longest character

// What the search dropped is missing from its scores; so many more than are asked for are scored
// exactly before they are ranked.
constexpr std::size_t kAlsoScored = 4;

std::size_t beam_width(const DecodeOptions& options) {
    if (options.decoder == Decoder::greedy) return 1;
    constexpr int kLeastWidth = 10;
    const int chosen = std::max(kLeastWidth, 2 * options.candidates + 4);
    return static_cast<std::size_t>(options.beam_width > 0 ? options.beam_width : chosen);
}

Status check(const DecodeOptions& options) {
    const auto bad = [](const std::string& what) {
        return Error{ErrorCode::invalid_argument, "decoding: " + what};
    };
    if (options.decoder != Decoder::greedy && options.decoder != Decoder::beam &&
        options.decoder != Decoder::grammar) {
        return bad("expected greedy, beam or grammar, found value " +
                   std::to_string(static_cast<int>(options.decoder)));
    }
    if (options.candidates < 1 || options.candidates > kMostCandidates) {
        return bad("expected 1 to " + std::to_string(kMostCandidates) + " candidates, found " +
                   std::to_string(options.candidates));
    }
    if (options.beam_width < 0 || options.beam_width > kWidestBeam) {
        return bad("expected a beam of 1 to " + std::to_string(kWidestBeam) +
                   " prefixes, or 0, found " + std::to_string(options.beam_width));
    }
    if (options.temperature != 0.0 &&
        !(options.temperature >= kLeastTemperature && options.temperature <= kHighestTemperature)) {
        return bad("expected a temperature of 0.05 to 20, or 0, found " +
                   std::to_string(options.temperature));
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
    if (options.patterns || options.decoder == Decoder::grammar) {
        Result<Automaton> built = automaton_for(model, options);
        if (built) {
            automaton = std::make_shared<const Automaton>(std::move(*built));
        } else if (options.decoder == Decoder::grammar) {
            return built.error();
        }
    }
    return TextDecoder(model, options, std::move(automaton));
}

TextDecoder::TextDecoder(const Model& model, const DecodeOptions& options,
                         std::shared_ptr<const Automaton> automaton)
    : model_(model),
      decoder_(options.decoder),
      temperature_(options.temperature > 0.0 ? options.temperature : model.temperature()),
      time_steps_(static_cast<std::size_t>(model.steps())),
      classes_(model.charset().size()),
      most_candidates_(decoder_ == Decoder::greedy ? 1
                                                   : static_cast<std::size_t>(options.candidates)),
      automaton_(std::move(automaton)),
      posterior_(time_steps_, classes_),
      beam_(time_steps_, classes_, model.blank(), beam_width(options)),
      text_(time_steps_, classes_, model.blank()),
      labels_(beam_width(options) * time_steps_),
      spans_(time_steps_),
      weights_(time_steps_ * classes_),
      states_(time_steps_ + 1),
      spare_(most_candidates_) {
    found_.reserve(beam_width(options));
    if (decoder_ == Decoder::grammar) mass_.emplace(*automaton_, model.blank());
    for (Candidate& candidate : spare_) candidate.text.reserve(time_steps_ * kUtf8Bytes);
}

void TextDecoder::decode(std::span<const float> logits, Reading& reading) {
    // A copy of a vector has not the room of the first one.
    found_.reserve(labels_.size() / time_steps_);
    beam_.reserve();
    posterior_.set(logits, temperature_);
    find_texts(logits);
    rank_texts();
    const double log_norm = mass_ ? mass_->log_mass(posterior_) : 0.0;
    fill_candidates(log_norm, reading);
    reading.text.clear();
    reading.text.reserve(time_steps_ * kUtf8Bytes);
    reading.characters.reserve(time_steps_);
    reading.confidence = 0.0f;
    reading.reject_score = 1.0f;
    if (found_.empty()) {
        reading.characters.clear();
        return;
    }
    reading.text += reading.candidates.front().text;
    reading.confidence = reading.candidates.front().confidence;
    if (!reading.text.empty()) {
        reading.reject_score = 1.0f - to_probability(found_.front().log_weight);
    }
    fill_characters(found_.front(), reading);
}

void TextDecoder::find_texts(std::span<const float> logits) noexcept {
    found_.clear();
    const std::span<std::int32_t> labels(labels_);
    if (decoder_ == Decoder::greedy) {
        add_found(best_path(logits, classes_, model_.blank(), labels), 0.0);
        return;
    }
    beam_.search(posterior_, decoder_ == Decoder::grammar ? automaton_.get() : nullptr);
    for (std::size_t i = 0; i < beam_.size(); ++i) {
        add_found(beam_.labels(i, labels.subspan(i * time_steps_, time_steps_)),
                  beam_.log_probability(i));
    }
}

void TextDecoder::add_found(std::span<const std::int32_t> labels, double log_p) noexcept {
    Found found = {static_cast<std::uint32_t>(found_.size()),
                   static_cast<std::uint32_t>(labels.size()), log_p, log_p, Automaton::kNone};
    const std::int32_t state = automaton_ ? automaton_->walk(labels) : Automaton::kNone;
    if (state != Automaton::kNone) {
        const auto s = static_cast<std::size_t>(state);
        found.format = automaton_->format[s];
        if (decoder_ == Decoder::grammar) found.log_weight += std::log(automaton_->prior[s]);
    }
    found_.push_back(found);
}

void TextDecoder::rank_texts() noexcept {
    const auto is_likelier = [](const Found& a, const Found& b) {
        return a.log_weight > b.log_weight;
    };
    std::sort(found_.begin(), found_.end(), is_likelier);
    if (found_.size() > most_candidates_ + kAlsoScored) {
        found_.resize(most_candidates_ + kAlsoScored);
    }
    for (Found& found : found_) {
        const double log_p = text_.log_probability(posterior_, labels_of(found));
        found.log_weight += log_p - found.log_p;
        found.log_p = log_p;
    }
    std::sort(found_.begin(), found_.end(), is_likelier);
    if (found_.size() > most_candidates_) found_.resize(most_candidates_);
}

void TextDecoder::fill_candidates(double log_norm, Reading& reading) {
    reading.candidates.reserve(most_candidates_);
    while (reading.candidates.size() > found_.size()) {
        if (spare_.size() < most_candidates_)
            spare_.push_back(std::move(reading.candidates.back()));
        reading.candidates.pop_back();
    }
    while (reading.candidates.size() < found_.size()) {
        if (spare_.empty()) {
            reading.candidates.emplace_back();
        } else {
            reading.candidates.push_back(std::move(spare_.back()));
            spare_.pop_back();
        }
    }
    const std::vector<std::string>& charset = model_.charset();
    for (std::size_t i = 0; i < found_.size(); ++i) {
        Candidate& candidate = reading.candidates[i];
        candidate.text.clear();
        candidate.text.reserve(time_steps_ * kUtf8Bytes);
        for (const std::int32_t label : labels_of(found_[i])) {
            candidate.text += charset[static_cast<std::size_t>(label)];
        }
        candidate.confidence = to_probability(found_[i].log_weight - log_norm);
        candidate.format = found_[i].format;
    }
}

void TextDecoder::fill_characters(const Found& best, Reading& reading) {
    const std::span<const std::int32_t> labels = labels_of(best);
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

// weights_: of the text with each character replaced, relative to the text; with the decoder's
// formats times the prior, also relative.
void TextDecoder::weigh_replacements(std::span<const std::int32_t> labels) noexcept {
    text_.log_probability(posterior_, labels);
    text_.replace_each(posterior_, labels, weights_);
    if (decoder_ != Decoder::grammar) return;
    states_[0] = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        states_[i + 1] = automaton_->next(states_[i], labels[i]);
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
        for (std::size_t c = 0; c < classes_; ++c) {
            std::int32_t state = automaton_->next(states_[i], static_cast<std::int32_t>(c));
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
