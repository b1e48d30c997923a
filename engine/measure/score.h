// What came out right of readings of labelled images.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/measure/reliability.h"
#include "lprnet/decoding.h"
#include "lprnet/result.h"

namespace lprnet::measure {

struct Score {
    std::size_t plates = 0;
    std::size_t correct = 0;
    std::size_t first_correct = 0;
    std::size_t characters = 0;
    std::size_t edits = 0;

    // Shares 0..1; 0 where there is no plate.
    double accuracy() const noexcept;
    double first_accuracy() const noexcept;
    // One minus edits per character, not below zero.
    double char_accuracy() const noexcept;
};

// A character that was replaced; an empty string is a missing or an added one.
struct Confusion {
    std::string expected, found;
    std::size_t count = 0;
};

struct Evaluation {
    Decoder decoder = Decoder::greedy;  // that the readings are of
    Score all;
    std::map<std::string, Score> by_set;
    std::map<std::size_t, Score> by_length;
    std::map<std::pair<std::string, std::string>, std::size_t> confusions;  // (expected, found)
    Reliability reliability;
    std::size_t rejected = 0;  // readings above reject_above(decoder)

    // A reading of an image that shows `text`; `set` is what its labels call the set that it
    // belongs to, if they do. May throw std::bad_alloc.
    void add(const std::string& text, const std::string& set, const Reading& reading);

    // The most frequent first; equally frequent ones by their characters.
    std::vector<Confusion> most_confused() const;
};

}  // namespace lprnet::measure
