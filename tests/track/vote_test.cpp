#include "lprnet/vote.h"

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

TEST_CASE("a vote without readings has no answer", "[track]") {
    const Vote vote;
    CHECK(vote.answer().text.empty());
    CHECK(vote.answer().confidence == 0.0f);
    CHECK(vote.answer().candidates.empty());
}

TEST_CASE("one frame is never certain", "[track]") {
    Vote vote;
    vote.add(reading_of({{"A1", 1.0f}}));
    CHECK(vote.answer().text == "A1");
    CHECK(vote.answer().confidence > 0.9f);
    CHECK(vote.answer().confidence < 0.96f);
    vote.add(reading_of({{"A1", 1.0f}}));
    CHECK(vote.answer().confidence > 0.99f);
    CHECK(vote.frames() == 2);
}

TEST_CASE("two good frames outvote a bad one, whichever comes first", "[track]") {
    for (int bad = 0; bad < 3; ++bad) {
        Vote vote;
        for (int i = 0; i < 3; ++i) {
            vote.add(reading_of({{i == bad ? "B8" : "B3", i == bad ? 1.0f : 0.9f}}));
        }
        CHECK(vote.answer().text == "B3");
        CHECK(vote.answer().margin > 0.9f);
    }
}

TEST_CASE("frames that disagree leave no margin", "[track]") {
    Vote vote;
    vote.add(reading_of({{"A1", 0.9f}}));
    vote.add(reading_of({{"A7", 0.9f}}));
    const Vote::Answer answer = vote.answer();
    CHECK(answer.margin < 0.01f);
    CHECK(answer.confidence < 0.51f);
    REQUIRE(answer.candidates.size() == 2);
}

TEST_CASE("second candidates count", "[track]") {
    Vote vote;
    vote.add(reading_of({{"A1", 0.5f}, {"A7", 0.4f}}));
    vote.add(reading_of({{"AT", 0.5f}, {"A7", 0.4f}}));
    CHECK(vote.answer().text == "A7");
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
    vote.add(frame("A1", "7"));
    vote.add(frame("AT", "7"));
    CHECK(vote.answer().text == "A7");
}

TEST_CASE("shares add up to at most one and are in order", "[track]") {
    Vote vote;
    for (int i = 0; i < 400; ++i) {
        const std::string text = "A" + std::to_string(i);
        vote.add(reading_of({{text.c_str(), 0.6f}, {"B", 0.3f}}));
    }
    const Vote::Answer answer = vote.answer(1000);
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
    CHECK(vote.answer(3).candidates.size() == 3);
}

TEST_CASE("readings without text are not counted, and a vote can start again", "[track]") {
    Vote vote;
    vote.add(Reading());
    CHECK(vote.frames() == 0);
    vote.add(reading_of({{"A1", 0.9f}}));
    vote.clear();
    CHECK(vote.frames() == 0);
    vote.add(reading_of({{"B2", 0.9f}}));
    CHECK(vote.answer().candidates.size() == 1);
}

}  // namespace
}  // namespace lprnet::test
