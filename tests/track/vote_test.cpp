#include "lprnet/vote.h"

#include <limits>

#include "tests/catch.h"

namespace lprnet::test {
namespace {

Reading reading_of(const std::vector<std::pair<const char*, float>>& candidates) {
    Reading reading;
    for (const auto& [text, confidence] : candidates) {
        reading.candidates.push_back({text, confidence, 0});
    }
    reading.text = reading.candidates.front().text;
    reading.confidence = reading.candidates.front().confidence;
    return reading;
}

void add(Vote& vote, const Reading& reading) {
    if (Status status = vote.add(reading); !status) FAIL(status.error().message);
}

Vote::Answer answer_of(const Vote& vote, std::size_t candidates = 5) {
    Result<Vote::Answer> answer = vote.answer(candidates);
    if (!answer) FAIL(answer.error().message);
    return *answer;
}

TEST_CASE("a vote without readings has no answer", "[track]") {
    const Vote vote;
    CHECK(answer_of(vote).text.empty());
    CHECK(answer_of(vote).confidence == 0.0f);
    CHECK(answer_of(vote).candidates.empty());
}

TEST_CASE("one frame is never certain", "[track]") {
    Vote vote;
    add(vote, reading_of({{"A1", 1.0f}}));
    CHECK(answer_of(vote).text == "A1");
    CHECK(answer_of(vote).confidence > 0.9f);
    CHECK(answer_of(vote).confidence < 0.96f);
    add(vote, reading_of({{"A1", 1.0f}}));
    CHECK(answer_of(vote).confidence > 0.99f);
    CHECK(vote.frames() == 2);
}

TEST_CASE("two good frames outvote a bad one, whichever comes first", "[track]") {
    for (int bad = 0; bad < 3; ++bad) {
        Vote vote;
        for (int i = 0; i < 3; ++i) {
            add(vote, reading_of({{i == bad ? "B8" : "B3", i == bad ? 1.0f : 0.9f}}));
        }
        CHECK(answer_of(vote).text == "B3");
        CHECK(answer_of(vote).margin > 0.9f);
    }
}

TEST_CASE("frames that disagree leave no margin", "[track]") {
    Vote vote;
    add(vote, reading_of({{"A1", 0.9f}}));
    add(vote, reading_of({{"A7", 0.9f}}));
    const Vote::Answer answer = answer_of(vote);
    CHECK(answer.margin < 0.01f);
    CHECK(answer.confidence < 0.51f);
    REQUIRE(answer.candidates.size() == 2);
}

TEST_CASE("second candidates count", "[track]") {
    Vote vote;
    add(vote, reading_of({{"A1", 0.5f}, {"A7", 0.4f}}));
    add(vote, reading_of({{"AT", 0.5f}, {"A7", 0.4f}}));
    CHECK(answer_of(vote).text == "A7");
}

TEST_CASE("alternatives of characters count", "[track]") {
    const auto frame = [](const char* first, const char* other) {
        Reading reading = reading_of({{first, 0.5f}});
        Character a, b;
        a.text = "A";
        a.confidence = 1.0f;
        b.text = std::string(first).substr(1);
        b.confidence = 0.55f;
        b.alternatives[0] = {other, 0.45f};
        b.alternative_count = 1;
        reading.characters = {a, b};
        return reading;
    };
    Vote vote;
    add(vote, frame("A1", "7"));
    add(vote, frame("AT", "7"));
    CHECK(answer_of(vote).text == "A7");
}

TEST_CASE("shares add up to at most one and are in order", "[track]") {
    Vote vote;
    for (int i = 0; i < 400; ++i) {
        const std::string text = "A" + std::to_string(i);
        add(vote, reading_of({{text.c_str(), 0.6f}, {"B", 0.3f}}));
    }
    const Vote::Answer answer = answer_of(vote, 1000);
    CHECK(answer.text == "B");
    double sum = 0.0;
    for (std::size_t i = 0; i < answer.candidates.size(); ++i) {
        sum += static_cast<double>(answer.candidates[i].confidence);
        if (i > 0) {
            CHECK(answer.candidates[i].confidence <= answer.candidates[i - 1].confidence);
        }
    }
    CHECK(sum <= 1.0001);
    CHECK(answer.candidates.size() <= 200);
    CHECK(answer_of(vote, 3).candidates.size() == 3);
}

TEST_CASE("readings without text are not counted, and a vote can start again", "[track]") {
    Vote vote;
    add(vote, Reading());
    CHECK(vote.frames() == 0);
    add(vote, reading_of({{"A1", 0.9f}}));
    vote.clear();
    CHECK(vote.frames() == 0);
    add(vote, reading_of({{"B2", 0.9f}}));
    CHECK(answer_of(vote).candidates.size() == 1);
}

// Nothing but a recognizer makes readings whose parts fit together.
TEST_CASE("readings that no recognizer returns are counted as far as they make sense", "[track]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float confidence : {nan, -1.0f, infinity, -infinity, 2.0f, 1e-45f}) {
        Vote vote;
        Reading reading = reading_of({{"A1", confidence}, {"A7", confidence}});
        Character character;
        character.text = "A";
        character.confidence = confidence;
        character.alternatives[0] = {"B", confidence};
        for (const int count : {-5, 1, 3, 4, std::numeric_limits<int>::max()}) {
            character.alternative_count = count;
            reading.characters.assign(2, character);
            add(vote, reading);
        }
        const Vote::Answer answer = answer_of(vote);
        CHECK(vote.frames() == 5);
        CHECK((answer.confidence >= 0.0f && answer.confidence <= 1.0f));
        CHECK((answer.margin >= 0.0f && answer.margin <= 1.0f));
    }
}

TEST_CASE("texts that are no plate are left out of a vote", "[track]") {
    Vote vote;
    const std::string longest(256, 'A'), too_long(257, 'A');
    add(vote, reading_of({{too_long.c_str(), 0.9f}}));
    CHECK(vote.frames() == 0);
    CHECK(answer_of(vote).text.empty());
    add(vote, reading_of({{too_long.c_str(), 0.9f}, {longest.c_str(), 0.05f}}));
    CHECK(vote.frames() == 1);
    CHECK(answer_of(vote).text == longest);
    Reading many = reading_of({{"B", 0.9f}});
    many.characters.resize(100000);
    many.candidates.resize(100000);
    add(vote, many);
    CHECK(vote.frames() == 2);
}

}  // namespace
}  // namespace lprnet::test
