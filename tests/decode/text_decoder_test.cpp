#include "engine/decode/text_decoder.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <random>
#include <string>

#include "engine/decode/cn_patterns.h"
#include "engine/text/listed_names.h"
#include "engine/text/utf8.h"
#include "tests/allocation_counter.h"
#include "tests/catch.h"

namespace lprnet::test {
namespace {

// Confidences are floats made from sums of doubles.
constexpr double kFloat = 1e-6;

const Model& model() {
    static const Model builtin = [] {
        Result<Model> loaded = Model::builtin();
        if (!loaded) FAIL(loaded.error().message);
        return *loaded;
    }();
    return builtin;
}

std::size_t classes() {
    return model().charset().size();
}

std::int32_t label(const std::string& character) {
    const auto& charset = model().charset();
    const auto it = std::find(charset.begin(), charset.end(), character);
    REQUIRE(it != charset.end());
    return static_cast<std::int32_t>(it - charset.begin());
}

TextDecoder decoder(const DecodeOptions& options) {
    Result<TextDecoder> decoder = TextDecoder::create(model(), options);
    if (!decoder) FAIL(decoder.error().message);
    return std::move(*decoder);
}

// Logits of 0 but for the given (time step, character, logit); blank everywhere else.
struct Mark {
    int time_step;
    const char* character;
    float logit;
};
std::vector<float> logits_of(const std::vector<Mark>& marks) {
    const auto time_steps = static_cast<std::size_t>(model().steps());
    std::vector<float> logits(time_steps * classes());
    const auto blank = static_cast<std::size_t>(model().blank());
    for (std::size_t t = 0; t < time_steps; ++t) logits[t * classes() + blank] = 5.0f;
    for (const Mark& mark : marks) {
        logits[static_cast<std::size_t>(mark.time_step) * classes() +
               static_cast<std::size_t>(label(mark.character))] = mark.logit;
    }
    return logits;
}

// 皖A1234B, in which the 1 may as well be an I.
std::vector<float> doubtful_plate() {
    return logits_of({{0, "皖", 12},
                      {3, "A", 12},
                      {4, "A", 11},
                      {6, "I", 12},
                      {6, "1", 11.5f},
                      {8, "2", 12},
                      {10, "3", 12},
                      {12, "4", 12},
                      {12, "9", 9},
                      {15, "B", 12}});
}

std::vector<float> noise(unsigned seed, float spread) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0f, spread);
    std::vector<float> logits(static_cast<std::size_t>(model().steps()) * classes());
    for (float& x : logits) x = normal(random);
    return logits;
}

Reading decode(const DecodeOptions& options, const std::vector<float>& logits) {
    Reading reading;
    decoder(options).decode(logits, reading);
    return reading;
}

std::vector<std::int32_t> labels_of(const Reading& reading) {
    std::vector<std::int32_t> labels;
    for (const Character& c : reading.characters) labels.push_back(label(c.text));
    return labels;
}

double log_probability(const std::vector<float>& logits, const std::vector<std::int32_t>& labels) {
    const auto time_steps = static_cast<std::size_t>(model().steps());
    Posterior posterior(time_steps, classes());
    posterior.set(logits, model().temperature());
    return CtcText(time_steps, classes(), model().blank()).log_probability(posterior, labels);
}

TEST_CASE("each decoder answers its own question", "[decode]") {
    const std::vector<float> logits = doubtful_plate();
    CHECK(decode({.decoder = Decoder::greedy}, logits).text == "皖AI234B");
    CHECK(decode({.decoder = Decoder::beam}, logits).text == "皖AI234B");
    const Reading reading = decode({.decoder = Decoder::grammar}, logits);
    CHECK(reading.text == "皖A1234B");
    REQUIRE(reading.candidates.size() == 1);
    CHECK(reading.candidates[0].text == reading.text);
    CHECK(reading.candidates[0].confidence == reading.confidence);
    CHECK(reading.candidates[0].format == 0);
}

TEST_CASE("a reading tells where each character stands", "[decode]") {
    for (const DecoderTraits& traits : kDecoders) {
        const Decoder d = traits.decoder;
        const Reading reading = decode({.decoder = d}, doubtful_plate());
        REQUIRE(reading.characters.size() == 7);
        CHECK(reading.characters[0].first_step == 0);
        CHECK(reading.characters[0].last_step == 0);
        CHECK(reading.characters[1].first_step == 3);
        CHECK(reading.characters[1].last_step == 4);
        CHECK(reading.characters[6].first_step == 15);
    }
}

TEST_CASE("without formats the confidence is the probability of the text", "[decode]") {
    for (const Decoder d : {Decoder::greedy, Decoder::beam}) {
        for (unsigned seed = 0; seed < 10; ++seed) {
            const std::vector<float> logits = seed == 0 ? doubtful_plate() : noise(seed, 6.0f);
            const Reading reading = decode({.decoder = d}, logits);
            const double p = std::exp(log_probability(logits, labels_of(reading)));
            CHECK(std::abs(static_cast<double>(reading.confidence) - p) < kFloat);
            CHECK(std::abs(static_cast<double>(reading.reject_score) - (1.0 - p)) < kFloat);
        }
    }
}

TEST_CASE("with formats it is divided by all that have one", "[decode]") {
    const Result<Patterns> cn = Patterns::builtin("cn");
    REQUIRE(cn.ok());
    const Result<Automaton> automaton =
        build_automaton(cn->file(), model().charset(), model().blank());
    REQUIRE(automaton.ok());
    const auto time_steps = static_cast<std::size_t>(model().steps());
    for (unsigned seed = 0; seed < 10; ++seed) {
        const std::vector<float> logits = seed == 0 ? doubtful_plate() : noise(seed, 6.0f);
        const Reading reading = decode({.decoder = Decoder::grammar}, logits);
        Posterior posterior(time_steps, classes());
        posterior.set(logits, model().temperature());
        const double mass = CtcMass(*automaton, model().blank()).log_mass(posterior);
        const std::vector<std::int32_t> labels = labels_of(reading);
        const double weight =
            log_probability(logits, labels) + std::log(automaton->prior_of(labels));
        CHECK(std::abs(static_cast<double>(reading.confidence) - std::exp(weight - mass)) < kFloat);
        CHECK(std::abs(static_cast<double>(reading.reject_score) - (1.0 - std::exp(weight))) <
              kFloat);
    }
}

TEST_CASE("characters are weighed against all others in their place", "[decode]") {
    for (const Decoder d : {Decoder::greedy, Decoder::grammar}) {
        const std::vector<float> logits = doubtful_plate();
        const Reading reading = decode({.decoder = d}, logits);
        const Result<Automaton> automaton =
            build_automaton(Patterns::builtin("cn")->file(), model().charset(), model().blank());
        REQUIRE(automaton.ok());
        for (std::size_t i = 0; i < reading.characters.size(); ++i) {
            std::vector<std::pair<double, std::string>> all;
            double sum = 0.0;
            for (std::size_t c = 0; c < classes(); ++c) {
                if (static_cast<int>(c) == model().blank()) continue;
                std::vector<std::int32_t> labels = labels_of(reading);
                labels[i] = static_cast<std::int32_t>(c);
                double p = std::exp(log_probability(logits, labels));
                if (d == Decoder::grammar) p *= automaton->prior_of(labels);
                all.push_back({p, model().charset()[c]});
                sum += p;
            }
            std::sort(all.rbegin(), all.rend());
            const Character& found = reading.characters[i];
            CHECK(found.text == all[0].second);
            CHECK(std::abs(static_cast<double>(found.confidence) - all[0].first / sum) < kFloat);
            for (int k = 0; k < found.alternative_count; ++k) {
                const Alternative& other = found.alternatives[static_cast<std::size_t>(k)];
                const auto& expected = all[static_cast<std::size_t>(k) + 1];
                CHECK(other.text == expected.second);
                CHECK(std::abs(static_cast<double>(other.confidence) - expected.first / sum) <
                      kFloat);
            }
        }
        // The I is no choice for a plate, and 9 is one for the 4.
        const Character& doubtful = reading.characters[2];
        CHECK(doubtful.text == (d == Decoder::grammar ? "1" : "I"));
        CHECK((doubtful.alternative_count > 0) == (d == Decoder::greedy));
        REQUIRE(reading.characters[5].alternative_count == 1);
        CHECK(reading.characters[5].alternatives[0].text == "9");
    }
}

TEST_CASE("candidates are distinct, in order, and share one probability", "[decode]") {
    for (const Decoder d : {Decoder::beam, Decoder::grammar}) {
        for (unsigned seed = 1; seed < 6; ++seed) {
            const Reading reading = decode({.decoder = d, .candidates = 10}, noise(seed, 5.0f));
            REQUIRE(reading.candidates.size() == 10);
            double sum = 0.0;
            for (std::size_t i = 0; i < 10; ++i) {
                const Candidate& candidate = reading.candidates[i];
                sum += static_cast<double>(candidate.confidence);
                CHECK((candidate.format >= 0 || d == Decoder::beam));
                for (std::size_t k = 0; k < i; ++k) {
                    CHECK(reading.candidates[k].text != candidate.text);
                    CHECK(reading.candidates[k].confidence >= candidate.confidence);
                }
            }
            CHECK(sum <= 1.0 + 10 * kFloat);
            CHECK(reading.text == reading.candidates[0].text);
        }
    }
}

TEST_CASE("other decoders say whether a text has one of the formats", "[decode]") {
    const Result<Patterns> patterns = Patterns::parse("a : ?\nb : 皖AI#{3}@", "p");
    REQUIRE(patterns.ok());
    const std::vector<float> logits = doubtful_plate();
    CHECK(decode({.patterns = *patterns}, logits).candidates[0].format == 1);
    CHECK(decode({}, logits).candidates[0].format == -1);
    const Result<Patterns> cn = Patterns::builtin("cn");
    REQUIRE(cn.ok());
    CHECK(decode({.patterns = *cn}, logits).candidates[0].format == -1);
}

TEST_CASE("priors decide where the network does not", "[decode]") {
    const std::vector<float> logits = doubtful_plate();
    const auto read = [&](const char* text) {
        const Result<Patterns> patterns = Patterns::parse(text, "p");
        REQUIRE(patterns.ok());
        return decode({.decoder = Decoder::grammar, .patterns = *patterns}, logits).text;
    };
    CHECK(read("a 1 : 皖A#{4}@\nb 0.1 : 皖AI#{3}@") == "皖A1234B");
    CHECK(read("a 0.1 : 皖A#{4}@\nb 1 : 皖AI#{3}@") == "皖AI234B");
}

// 皖A12345, in which the first may as well be the other character.
std::vector<float> doubtful_province(const char* other, float difference) {
    return logits_of({{0, "皖", 12},
                      {0, other, 12 + difference},
                      {3, "A", 12},
                      {5, "1", 12},
                      {7, "2", 12},
                      {9, "3", 12},
                      {11, "4", 12},
                      {13, "5", 12}});
}

TEST_CASE("a plate of the provinces here counts more, by kProvinceWeight", "[decode]") {
    const auto weight = static_cast<float>(std::log(kProvinceWeight));
    const auto first = [&](float difference, const char* provinces) {
        return decode({.decoder = Decoder::grammar, .provinces = provinces},
                      doubtful_province("粤", difference))
            .characters[0]
            .text;
    };
    CHECK(first(0.5f, "") == "粤");
    CHECK(first(0.5f, "皖") == "皖");
    CHECK(first(0.5f, "京皖") == "皖");
    CHECK(first(0.5f, "粤皖") == "粤");
    CHECK(first(weight - 0.01f, "皖") == "皖");
    CHECK(first(weight + 0.01f, "皖") == "粤");
    // Of neither: as without.
    CHECK(first(0.5f, "藏") == "粤");
}

TEST_CASE("all provinces together are as none", "[decode]") {
    const std::string all(cn_provinces());
    for (unsigned seed = 0; seed < 5; ++seed) {
        const std::vector<float> logits = seed == 0 ? doubtful_plate() : noise(seed, 6.0f);
        const Reading with = decode({.decoder = Decoder::grammar, .provinces = all}, logits);
        const Reading without = decode({.decoder = Decoder::grammar}, logits);
        CHECK(with.text == without.text);
        CHECK(with.confidence == without.confidence);
    }
}

TEST_CASE("provinces leave the share of plates without one as it was", "[decode]") {
    // Of provinces that are equally likely.
    const Result<Patterns> patterns =
        Patterns::parse("a : [" + std::string(cn_provinces()) + "A]1", "p");
    REQUIRE(patterns.ok());
    std::vector<float> logits = logits_of({{0, "A", 8}, {9, "1", 20}});
    for (const std::string& province : split_characters(cn_provinces())) {
        logits[static_cast<std::size_t>(label(province))] = 6.0f;
    }
    const auto read = [&](const char* provinces) {
        return decode({.decoder = Decoder::grammar,
                       .patterns = *patterns,
                       .candidates = 40,
                       .provinces = provinces},
                      logits);
    };
    const Reading before = read("");
    for (const char* const provinces : {"粤", "京津冀"}) {
        const Reading reading = read(provinces);
        const auto share_of = [](const Reading& of, const std::string& text) {
            for (const Candidate& candidate : of.candidates)
                if (candidate.text == text) return static_cast<double>(candidate.confidence);
            return 0.0;
        };
        CHECK(share_of(before, "A1") > 0.1);
        CHECK(std::abs(share_of(reading, "A1") - share_of(before, "A1")) < kFloat);
        double sum = 0.0;
        for (const Candidate& candidate : reading.candidates)
            sum += static_cast<double>(candidate.confidence);
        CHECK(std::abs(sum - 1.0) < 32 * kFloat);
    }
}

TEST_CASE("plates from elsewhere are not rejected for it", "[decode]") {
    const Result<Patterns> patterns = Patterns::parse("a : ?A#{5}", "p");
    REQUIRE(patterns.ok());
    const std::vector<float> logits = doubtful_province("京", 2.5f);
    for (const char* const provinces : {"", "粤", "皖"}) {
        const Reading reading = decode(
            {.decoder = Decoder::grammar, .patterns = *patterns, .provinces = provinces}, logits);
        CHECK(reading.text == (std::string(provinces) == "皖" ? "皖A12345" : "京A12345"));
        const double p = std::exp(log_probability(logits, labels_of(reading)));
        CHECK(std::abs(static_cast<double>(reading.reject_score) - (1.0 - p)) < kFloat);
    }
}

TEST_CASE("provinces that are none, or no plate's, are refused", "[decode]") {
    const auto refuse = [](const DecodeOptions& options, ErrorCode code) {
        const Result<TextDecoder> refused = TextDecoder::create(model(), options);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().code == code);
        return refused.error().message;
    };
    for (const char* const bad : {"A", "粤B", "龘", " ", "粤,京", "\xFF", "粤\xE7", "港"}) {
        CHECK_THAT(
            refuse({.decoder = Decoder::grammar, .provinces = bad}, ErrorCode::invalid_argument),
            contains("provinces: expected some such as"));
    }
    for (const Decoder d : {Decoder::greedy, Decoder::beam}) {
        CHECK_THAT(refuse({.decoder = d, .provinces = "粤"}, ErrorCode::invalid_argument),
                   contains("the decoder grammar, found " + std::string(traits_of(d).name)));
    }
    const Result<Patterns> patterns = Patterns::parse("a : [京沪]###", "p");
    REQUIRE(patterns.ok());
    CHECK_THAT(refuse({.decoder = Decoder::grammar, .patterns = *patterns, .provinces = "京粤"},
                      ErrorCode::mismatch),
               contains("begins with '粤'"));
    CHECK(TextDecoder::create(
              model(), {.decoder = Decoder::grammar, .patterns = *patterns, .provinces = "京京"})
              .ok());
}

TEST_CASE("formats decide between 0 and O in the second place", "[decode]") {
    const auto text = [&](float zero, float o, float d) {
        return decode({.decoder = Decoder::grammar}, logits_of({{0, "皖", 12},
                                                                {2, "0", zero},
                                                                {2, "O", o},
                                                                {2, "D", d},
                                                                {5, "0", 12},
                                                                {7, "0", 11},
                                                                {7, "O", 12},
                                                                {9, "3", 12},
                                                                {11, "4", 12},
                                                                {13, "5", 12}}))
            .text;
    };
    CHECK(text(14.0f, 12.0f, 2.0f) == "皖O00345");
    CHECK(text(12.0f, 14.0f, 2.0f) == "皖O00345");
    CHECK(text(14.0f, 2.0f, 12.0f) == "皖D00345");
    // As rare as it is on the road.
    CHECK(text(14.0f, 12.0f, 11.5f) == "皖D00345");
    CHECK(text(14.0f, 12.0f, 10.0f) == "皖O00345");
}

TEST_CASE("a warm decoder allocates nothing", "[decode]") {
    for (const DecoderTraits& traits : kDecoders) {
        const Decoder d = traits.decoder;
        TextDecoder warm = decoder({.decoder = d, .candidates = 10});
        std::vector<std::vector<float>> inputs = {doubtful_plate(), logits_of({})};
        for (unsigned seed = 0; seed < 5; ++seed) inputs.push_back(noise(seed, 8.0f));
        Reading reading;
        warm.decode(inputs.front(), reading);
        const std::size_t before = allocation_count();
        for (int round = 0; round < 3; ++round) {
            for (const std::vector<float>& logits : inputs) warm.decode(logits, reading);
        }
        CHECK(allocation_count() == before);
    }
}

TEST_CASE("an answer does not depend on what was decoded before", "[decode]") {
    for (const DecoderTraits& traits : kDecoders) {
        const Decoder d = traits.decoder;
        TextDecoder used = decoder({.decoder = d, .candidates = 3});
        Reading reading;
        for (unsigned seed = 0; seed < 3; ++seed) used.decode(noise(seed, 7.0f), reading);
        used.decode(doubtful_plate(), reading);
        const Reading alone = decode({.decoder = d, .candidates = 3}, doubtful_plate());
        CHECK(reading.text == alone.text);
        CHECK(reading.confidence == alone.confidence);
        CHECK(reading.candidates.size() == alone.candidates.size());
        REQUIRE(reading.characters.size() == alone.characters.size());
        for (std::size_t i = 0; i < alone.characters.size(); ++i) {
            CHECK(reading.characters[i].confidence == alone.characters[i].confidence);
            CHECK(reading.characters[i].alternative_count == alone.characters[i].alternative_count);
        }
    }
}

TEST_CASE("a copy of a decoder has memory of its own", "[decode]") {
    for (const DecoderTraits& traits : kDecoders) {
        CAPTURE(traits.name);
        const DecodeOptions options = {.decoder = traits.decoder, .candidates = 5};
        auto original = std::make_unique<TextDecoder>(decoder(options));
        Reading first, second;
        original->decode(doubtful_plate(), first);
        TextDecoder copy = *original;
        TextDecoder assigned = decoder({});
        assigned = copy;
        original->decode(noise(1, 7.0f), second);
        original.reset();
        for (TextDecoder* one : {&copy, &assigned}) {
            Reading found;
            one->decode(doubtful_plate(), found);
            CHECK(found.text == first.text);
            CHECK(found.confidence == first.confidence);
            REQUIRE(found.candidates.size() == first.candidates.size());
            for (std::size_t i = 0; i < found.candidates.size(); ++i) {
                CHECK(found.candidates[i].text == first.candidates[i].text);
                CHECK(found.candidates[i].confidence == first.candidates[i].confidence);
            }
        }
    }
}

TEST_CASE("a value that is no decoder is refused by name", "[decode]") {
    for (const int value : {-1, static_cast<int>(std::size(kDecoders)), 1000}) {
        const auto bad = static_cast<Decoder>(value);
        CHECK(traits_of(bad).name.empty());
        CHECK(reject_above(bad) == reject_above(Decoder::greedy));
        const Result<TextDecoder> refused = TextDecoder::create(model(), {.decoder = bad});
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().message == "decoding: expected " + listed_names(kDecoders, " or ") +
                                             ", found value " + std::to_string(value));
    }
}

TEST_CASE("no character is an empty text and no plate", "[decode]") {
    for (const Decoder d : {Decoder::greedy, Decoder::beam}) {
        const Reading reading = decode({.decoder = d}, logits_of({}));
        CHECK(reading.text.empty());
        CHECK(reading.characters.empty());
        CHECK(reading.candidates.size() == 1);
        CHECK(reading.reject_score == 1.0f);
    }
    const Reading forced = decode({.decoder = Decoder::grammar}, logits_of({}));
    CHECK(forced.characters.size() >= 7);
    CHECK(forced.reject_score > reject_above(Decoder::grammar));
}

TEST_CASE("formats that do not fit the time steps leave nothing to read", "[decode]") {
    const Result<Patterns> patterns = Patterns::parse("a : #{19}", "p");
    REQUIRE(patterns.ok());
    const Reading reading =
        decode({.decoder = Decoder::grammar, .patterns = *patterns}, doubtful_plate());
    CHECK(reading.text.empty());
    CHECK(reading.candidates.empty());
    CHECK(reading.confidence == 0.0f);
    CHECK(reading.reject_score == 1.0f);
}

TEST_CASE("logits that are no numbers do no harm", "[decode]") {
    for (const float x : {std::nanf(""), INFINITY, -INFINITY, 3e38f}) {
        std::vector<float> logits = doubtful_plate();
        for (std::size_t i = 0; i < logits.size(); i += 3) logits[i] = x;
        for (const DecoderTraits& traits : kDecoders) {
            const Decoder d = traits.decoder;
            const Reading reading = decode({.decoder = d, .candidates = 5}, logits);
            CHECK(reading.confidence >= 0.0f);
            CHECK(reading.confidence <= 1.0f);
            for (const Character& c : reading.characters) {
                CHECK(c.confidence >= 0.0f);
                CHECK(c.confidence <= 1.0f);
            }
        }
    }
}

TEST_CASE("a higher temperature lowers the confidence", "[decode]") {
    const float cold = decode({.temperature = 0.5}, doubtful_plate()).confidence;
    const float hot = decode({.temperature = 2.0}, doubtful_plate()).confidence;
    CHECK(cold > hot);
}

TEST_CASE("options out of range are refused", "[decode]") {
    for (const DecodeOptions& bad :
         {DecodeOptions{.candidates = 0}, DecodeOptions{.candidates = 101},
          DecodeOptions{.beam_width = -1}, DecodeOptions{.beam_width = 1001},
          DecodeOptions{.temperature = -1.0}, DecodeOptions{.temperature = 21.0},
          DecodeOptions{.temperature = std::nan("")}}) {
        const Result<TextDecoder> refused = TextDecoder::create(model(), bad);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().code == ErrorCode::invalid_argument);
    }
    const Result<Patterns> patterns = Patterns::parse("a : 电", "p");
    REQUIRE(patterns.ok());
    const Result<TextDecoder> refused =
        TextDecoder::create(model(), {.decoder = Decoder::grammar, .patterns = *patterns});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::mismatch);
    CHECK(TextDecoder::create(model(), {.patterns = *patterns}).ok());
}

}  // namespace
}  // namespace lprnet::test
