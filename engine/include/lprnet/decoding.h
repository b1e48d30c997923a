// How the network's output becomes text.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "lprnet/patterns.h"

namespace lprnet {

enum class Decoder {
    greedy,   // the likeliest class of each time step
    beam,     // the likeliest text, summed over its alignments: CTC prefix beam search
    grammar,  // the likeliest text among those that have one of the formats
};

struct DecoderTraits {
    Decoder decoder;
    std::string_view name;
    bool one_candidate;  // finds no second one, however many are asked for
    bool needs_formats;  // reads nothing but texts that have one
    float reject_above;  // see below
};

// All that is told of a decoder besides its search (engine/decode/search.h) and its number in C
// (lprnet.h), in the order of the enumerators.
inline constexpr DecoderTraits kDecoders[] = {
    {Decoder::greedy, "greedy", true, false, 0.7f},
    {Decoder::beam, "beam", false, false, 0.7f},
    {Decoder::grammar, "grammar", false, true, 0.9f},
};

// Of a value that is no decoder: no name, and otherwise the first row's.
constexpr DecoderTraits traits_of(Decoder decoder) noexcept {
    const auto i = static_cast<std::size_t>(decoder);
    if (i < std::size(kDecoders)) return kDecoders[i];
    DecoderTraits none = kDecoders[0];
    none.decoder = decoder;
    none.name = {};
    return none;
}
static_assert(
    [] {
        for (const DecoderTraits& traits : kDecoders)
            if (traits_of(traits.decoder).decoder != traits.decoder) return false;
        return true;
    }(),
    "kDecoders is in the order of the enumerators");

// Limits of DecodeOptions.
inline constexpr int kMaxCandidates = 100;
inline constexpr int kMaxBeamWidth = 1000;
inline constexpr double kLeastTemperature = 0.05;
inline constexpr double kMostTemperature = 20.0;

// How much more a plate of DecodeOptions::provinces counts than one of another province.
inline constexpr double kProvinceWeight = 20.0;

struct DecodeOptions {
    Decoder decoder = Decoder::greedy;
    // Formats for Decoder::grammar, which takes the built-in cn if there are none. The other
    // decoders only say whether a text has one of them (Candidate::format).
    std::optional<Patterns> patterns = std::nullopt;
    // Most candidates in a reading, 1 to kMaxCandidates. The greedy decoder has one.
    int candidates = 1;
    // Prefixes that the search keeps, up to kMaxBeamWidth; 0 chooses by the number of candidates:
    // 10 for one. On 1448 labelled crops that finds the same texts as 200 but for 4 with the
    // shipped weights and formats, for 28 with the public checkpoint's, for none without formats.
    int beam_width = 0;
    // Divides the logits before the softmax, kLeastTemperature to kMostTemperature: above 1 makes
    // confidences lower. 0 takes the model's own (Model::temperature).
    double temperature = 0.0;
    // For a camera that sees mostly plates of one province or a few: these, one character each,
    // such as "粤" or "京津冀". Their plates count kProvinceWeight times as much as those of the
    // other provinces. For Decoder::grammar alone. Empty: none.
    std::string provinces = {};
};

// A reading whose reject_score is above this is likely not of a plate. Chosen for the shipped
// weights with scripts/reject_rates.py: at most 1 % of the plates that are read right are above,
// and at least 95 % of surfaces and parts of cars. Plates of other countries are told best with
// formats, which say more, so that the values differ. Weights of others have scores of their own.
constexpr float reject_above(Decoder decoder) noexcept {
    return traits_of(decoder).reject_above;
}

}  // namespace lprnet
