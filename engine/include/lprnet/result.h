// What a recognizer tells about one picture.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace lprnet {

// Another character that may stand in a place.
struct Alternative {
    // UTF-8.
    std::string text;
    // Its share among all characters in this place, 0..1.
    float confidence = 0.0f;
};

struct Character {
    // UTF-8.
    std::string text;
    // P(the plate's text) divided by the sum over all texts that differ from it in this place
    // alone, with the decoder's formats where it has any, 0..1.
    float confidence = 0.0f;
    // First and last time step of the character in the likeliest alignment, 0..steps-1.
    int first_step = 0;
    int last_step = 0;
    // The likeliest others in this place, best first; those under 0.001 are left out.
    std::array<Alternative, 3> alternatives;
    int alternative_count = 0;
};

struct Candidate {
    // UTF-8.
    std::string text;
    // As Reading::confidence.
    float confidence = 0.0f;
    // Index in Patterns::formats() of the format of this text, of several the one with the highest
    // prior; -1 if it has none, or the decoder no patterns.
    int format = -1;
};

struct Reading {
    // UTF-8, empty if the network saw no character, or if no text with a format fits its steps.
    std::string text;
    // P(text | image), 0..1: the sum over all alignments. With Decoder::grammar P(text | image, it
    // has a format): weighed by the priors and divided by the sum over all texts that have one.
    float confidence = 0.0f;
    // 0..1, near 1 for pictures that show no plate: 1 minus P(text | image), times the prior of its
    // format with Decoder::grammar, but not divided by what the formats leave; 1 for an empty text.
    // See reject_above().
    float reject_score = 1.0f;
    std::vector<Character> characters;
    // The likeliest texts, best first; the first one is `text`.
    std::vector<Candidate> candidates;
};

}  // namespace lprnet
