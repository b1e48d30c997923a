// Counting readings, with what nobody should give too.
#include "engine/measure/score.h"

#include <cmath>
#include <limits>

#include "engine/text/utf8.h"
#include "tests/catch.h"

namespace lprnet::measure {
namespace {

Reading reading_of(const std::string& text, float confidence = 0.5f, float reject_score = 0.0f) {
    Reading reading;
    reading.text = text;
    reading.confidence = confidence;
    reading.reject_score = reject_score;
    for (const std::string& character : split_characters(text)) {
        reading.characters.emplace_back();
        reading.characters.back().text = character;
    }
    return reading;
}

TEST_CASE("nothing scores nothing", "[measure]") {
    const Evaluation none;
    CHECK(none.all.accuracy() == 0.0);
    CHECK(none.all.first_accuracy() == 0.0);
    CHECK(none.all.char_accuracy() == 1.0);
    CHECK(none.most_confused().empty());
    CHECK(none.reliability.expected_error() == 0.0);
    CHECK(none.reliability.mean_confidence() == 0.0);
}

TEST_CASE("readings are counted by set, length and character", "[measure]") {
    Evaluation evaluation;
    evaluation.add("京A12", "day", reading_of("京A12"));
    evaluation.add("京A12", "day", reading_of("沪A1"));
    evaluation.add("京A1", "", reading_of("沪A1", 0.5f, 0.9f));
    CHECK(evaluation.all.plates == 3);
    CHECK(evaluation.all.correct == 1);
    CHECK(evaluation.all.first_correct == 1);
    CHECK(evaluation.all.characters == 11);
    CHECK(evaluation.all.edits == 3);
    CHECK(evaluation.all.char_accuracy() == 1.0 - 3.0 / 11.0);
    CHECK(evaluation.by_set.at("day").plates == 2);
    CHECK(evaluation.by_set.at("").correct == 0);
    CHECK(evaluation.by_length.at(4).plates == 2);
    CHECK(evaluation.by_length.at(3).plates == 1);
    CHECK(evaluation.rejected == 1);
    const std::vector<Confusion> confused = evaluation.most_confused();
    REQUIRE(confused.size() == 2);
    CHECK(confused[0].expected == "京");
    CHECK(confused[0].found == "沪");
    CHECK(confused[0].count == 2);
    CHECK(confused[1].expected == "2");
    CHECK(confused[1].found.empty());
}

TEST_CASE("texts of nothing are texts", "[measure]") {
    Evaluation evaluation;
    evaluation.add("", "", reading_of(""));
    evaluation.add("", "", reading_of("AB"));
    evaluation.add("AB", "", reading_of(""));
    CHECK(evaluation.all.correct == 1);
    CHECK(evaluation.all.first_correct == 1);
    CHECK(evaluation.all.edits == 4);
    CHECK(evaluation.all.char_accuracy() == 0.0);  // not below
}

TEST_CASE("a reading is rejected as its decoder says", "[measure]") {
    for (const DecoderTraits& traits : kDecoders) {
        Evaluation evaluation;
        evaluation.decoder = traits.decoder;
        evaluation.add("A", "", reading_of("A", 0.5f, traits.reject_above));
        CHECK(evaluation.rejected == 0);
        evaluation.add("A", "", reading_of("A", 0.5f, std::nextafter(traits.reject_above, 2.0f)));
        CHECK(evaluation.rejected == 1);
    }
}

TEST_CASE("confidences are compared with what came out right", "[measure]") {
    Reliability reliability;
    for (int i = 0; i < 10; ++i) reliability.add(0.8, i < 6);
    CHECK(std::abs(reliability.expected_error() - 0.2) < 1e-12);
    CHECK(std::abs(reliability.mean_confidence() - 0.8) < 1e-12);
    reliability.add(1.0, true);
    CHECK(reliability.bins().back().plates == 1);
}

TEST_CASE("a confidence that is none is counted in the first or last bin", "[measure]") {
    Reliability reliability;
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double low : {-0.5, -infinity, std::nan("")}) reliability.add(low, false);
    for (const double high : {1.5, 1e300, infinity}) reliability.add(high, true);
    CHECK(reliability.bins().front().plates == 3);
    CHECK(reliability.bins().back().plates == 3);
    CHECK(reliability.expected_error() == 0.0);
    CHECK(reliability.mean_confidence() == 0.5);
}

}  // namespace
}  // namespace lprnet::measure
