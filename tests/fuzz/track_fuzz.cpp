// Fuzz target for what callers hand over of readings: votes over frames that no recognizer made,
// and lists of plates that are no plates.
#include <cmath>
#include <string>
#include <vector>

#include "lprnet/known_plates.h"
#include "lprnet/vote.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lprnet;
using fuzz::check;
using fuzz::Pieces;

// Characters that are easily confused and strange ones, so that texts of few bytes meet.
constexpr const char* kCharacters[] = {"0", "D", "8", "B",    "1",    "7",  "皖", "浙",
                                       "",  "é", "A", "\xFF", "\xE7", "苏", "Q",  "\n"};

std::string text_of(Pieces& pieces) {
    std::string text;
    for (int left = pieces.value<std::uint8_t>() % 12; left > 0; --left)
        text += pieces.one_of(kCharacters);
    return text;
}

// Mostly a share; now and then bits that are none.
float confidence_of(Pieces& pieces) {
    const auto byte = pieces.value<std::uint8_t>();
    return byte < 250 ? static_cast<float>(byte) / 249.0f : pieces.value<float>();
}

Reading reading_of(Pieces& pieces) {
    Reading reading;
    reading.text = text_of(pieces);
    reading.confidence = confidence_of(pieces);
    for (int left = pieces.value<std::uint8_t>() % 6; left > 0; --left) {
        reading.candidates.push_back(
            {text_of(pieces), confidence_of(pieces), pieces.value<std::int8_t>()});
    }
    for (int left = pieces.value<std::uint8_t>() % 10; left > 0; --left) {
        Character character;
        character.text = pieces.one_of(kCharacters);
        character.confidence = confidence_of(pieces);
        for (Alternative& other : character.alternatives)
            other = {pieces.one_of(kCharacters), confidence_of(pieces)};
        // Also more than there is room for.
        character.alternative_count = pieces.value<std::int8_t>() % 8;
        reading.characters.push_back(std::move(character));
    }
    return reading;
}

bool is_share(float value) {
    return value >= 0.0f && value <= 1.0f;
}

// Memory does not run out here.
template <class T>
T value_of(Result<T> result) {
    check(result.ok(), "an error where there is none");
    return *std::move(result);
}

void check_answer(const Vote& vote, std::size_t candidates) {
    const Vote::Answer answer = value_of(vote.answer(candidates));
    check(is_share(answer.confidence) && is_share(answer.margin), "a share outside of 0..1");
    check(answer.candidates.size() <= candidates, "more candidates than asked for");
    float sum = 0.0f;
    float last = 1.0f;
    for (const Candidate& candidate : answer.candidates) {
        check(is_share(candidate.confidence), "a candidate's share outside of 0..1");
        check(candidate.confidence <= last, "candidates out of order");
        last = candidate.confidence;
        sum += last;
    }
    check(sum <= 1.001f, "shares of more than the whole");
    check(vote.frames() > 0 || answer.text.empty(), "an answer without a reading");
    if (!answer.candidates.empty())
        check(answer.candidates.front().text == answer.text, "the first candidate is another");
    const Vote::Answer again = value_of(vote.answer(candidates));
    check(again.text == answer.text && again.confidence == answer.confidence, "two answers");
}

void check_known(Pieces& pieces) {
    std::vector<std::string> plates;
    for (int left = pieces.value<std::uint8_t>() % 6; left > 0; --left)
        plates.push_back(text_of(pieces));
    const KnownPlates known(plates);
    check(known.plates() == plates, "the list is another");
    const std::size_t count = pieces.value<std::uint8_t>() % 4;
    const double least = static_cast<double>(confidence_of(pieces));
    const std::string text = text_of(pieces);
    const std::vector<KnownPlates::Match> matches = value_of(known.find(text, count, least));
    check(matches.size() <= count, "more matches than asked for");
    double last = 1.0;
    for (const KnownPlates::Match& match : matches) {
        check(match.index < plates.size(), "a match outside of the list");
        check(match.likelihood >= 0.0 && match.likelihood <= last, "matches out of order");
        check(!(match.likelihood < least), "a match that is too unlikely");
        if (plates[match.index] == text) check(match.likelihood == 1.0, "equal texts are not sure");
        last = match.likelihood;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Pieces pieces(data, size);
    check_known(pieces);
    Vote vote;
    const std::size_t candidates = pieces.value<std::uint8_t>() % 8;
    for (int frames = 0; frames < 8 && !pieces.empty(); ++frames) {
        check(vote.add(reading_of(pieces)).ok(), "a reading was refused");
        check_answer(vote, candidates);
    }
    if (vote.frames() > 0) ++fuzz::accepted;
    vote.clear();
    check(vote.frames() == 0 && value_of(vote.answer()).text.empty(),
          "something is left of a vote");
    return 0;
}
