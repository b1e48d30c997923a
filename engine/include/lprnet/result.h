// What a recognizer tells about one picture.
#pragma once

#include <string>
#include <vector>

namespace lprnet {

struct Character {
    // UTF-8.
    std::string text;
    // Softmax probability of this class at the time step where it is highest, 0..1.
    float confidence = 0.0f;
    // First and last time step of the run of equal labels, 0..steps-1.
    int first_step = 0;
    int last_step = 0;
};

struct Reading {
    // UTF-8, empty if the network saw no character.
    std::string text;
    // Probability of the best path: the product over all time steps of the highest
    // softmax value, 0..1. A lower bound of the probability of the text.
    float confidence = 0.0f;
    std::vector<Character> characters;
};

}  // namespace lprnet
