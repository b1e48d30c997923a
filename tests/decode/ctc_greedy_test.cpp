#include "engine/decode/ctc_greedy.h"

#include <cmath>

#include "tests/catch.h"

namespace lprnet::test {
namespace {

const std::vector<std::string> kCharset = {"京", "A", "1", "-"};
constexpr int kBlank = 3;

// One row per step; the class of each step gets `high`, the others 0.
Reading decode(const std::vector<int>& path, float high = 9.0f) {
    std::vector<float> logits(path.size() * kCharset.size(), 0.0f);
    for (std::size_t t = 0; t < path.size(); ++t) {
        logits[t * kCharset.size() + static_cast<std::size_t>(path[t])] = high;
    }
    Reading reading;
    decode_ctc_greedy(logits, kCharset, kBlank, reading);
    return reading;
}

TEST_CASE("greedy decoding merges runs and drops blanks", "[decode]") {
    CHECK(decode({3, 0, 0, 3, 1, 1, 3, 2}).text == "京A1");
    CHECK(decode({0, 1, 2}).text == "京A1");
    CHECK(decode({1, 3, 1}).text == "AA");
    CHECK(decode({1, 1, 1}).text == "A");
    CHECK(decode({3, 3, 3}).text.empty());
    CHECK(decode({}).text.empty());
}

TEST_CASE("greedy decoding tells where each character stands", "[decode]") {
    const Reading reading = decode({3, 0, 0, 3, 1, 3, 2, 2});
    REQUIRE(reading.characters.size() == 3);
    CHECK(reading.characters[0].text == "京");
    CHECK(reading.characters[0].first_step == 1);
    CHECK(reading.characters[0].last_step == 2);
    CHECK(reading.characters[1].first_step == 4);
    CHECK(reading.characters[1].last_step == 4);
    CHECK(reading.characters[2].first_step == 6);
    CHECK(reading.characters[2].last_step == 7);
}

TEST_CASE("greedy confidence is the probability of the path", "[decode]") {
    const Reading reading = decode({0, 3}, 2.0f);
    const double step = std::exp(2.0) / (std::exp(2.0) + 3.0);
    CHECK(std::abs(reading.confidence - step * step) < 1e-6);
    CHECK(std::abs(reading.characters[0].confidence - step) < 1e-6);
}

TEST_CASE("a character has the confidence of its surest step", "[decode]") {
    std::vector<float> logits = {1, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0};
    Reading reading;
    decode_ctc_greedy(logits, kCharset, kBlank, reading);
    REQUIRE(reading.text == "京");
    CHECK(std::abs(reading.characters[0].confidence - std::exp(5.0) / (std::exp(5.0) + 3.0)) <
          1e-6);
}

TEST_CASE("equal logits take the lowest class", "[decode]") {
    CHECK(decode({0}, 0.0f).text == "京");
}

TEST_CASE("huge logits do not overflow", "[decode]") {
    const Reading reading = decode({0, 1}, 3e38f);
    CHECK(reading.text == "京A");
    CHECK(reading.confidence == 1.0f);
}

TEST_CASE("a reading can be used again", "[decode]") {
    Reading reading = decode({0, 1, 2});
    const std::vector<float> blank = {0, 0, 0, 1};
    decode_ctc_greedy(blank, kCharset, kBlank, reading);
    CHECK(reading.text.empty());
    CHECK(reading.characters.empty());
}

}  // namespace
}  // namespace lprnet::test
