// The searches and sums against an enumeration of every alignment.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>

#include "engine/decode/ctc_beam.h"
#include "engine/decode/ctc_forward.h"
#include "tests/catch.h"

namespace lprnet::test {
namespace {

using Labels = std::vector<std::int32_t>;

struct Case {
    std::size_t time_steps, classes;
    int blank;
    std::vector<float> logits;
    Posterior posterior;
    std::map<Labels, double> texts;  // with the sum over their alignments
    double tolerance = 0.0;          // relative, of a product of one probability a time step
};

Labels collapse(const Labels& path, int blank) {
    Labels text;
    for (std::size_t t = 0; t < path.size(); ++t) {
        if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) text.push_back(path[t]);
    }
    return text;
}

Case random_case(std::size_t time_steps, std::size_t classes, int blank, float spread,
                 unsigned seed) {
    Case c{time_steps, classes, blank, {}, Posterior(time_steps, classes), {}, 0.0};
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0f, spread);
    c.logits.resize(time_steps * classes);
    for (float& x : c.logits) x = normal(random);
    c.posterior.set(c.logits, 1.0);
    // Floats: the difference of two logits and its product with 1 / temperature are rounded, and
    // exp() may be off by two units; twice, for a class and for the sum of its time step.
    const auto [least, most] = std::minmax_element(c.logits.begin(), c.logits.end());
    c.tolerance = static_cast<double>(time_steps) * 2.0 * (2.0 * (*most - *least) + 4.0) *
                  std::numeric_limits<float>::epsilon() / 2.0;
    Labels path(time_steps, 0);
    for (;;) {
        double p = 1.0;
        for (std::size_t t = 0; t < time_steps; ++t) {
            double sum = 0.0;
            for (std::size_t k = 0; k < classes; ++k) {
                sum += std::exp(static_cast<double>(c.logits[t * classes + k]));
            }
            const auto k = static_cast<std::size_t>(path[t]);
            p *= std::exp(static_cast<double>(c.logits[t * classes + k])) / sum;
        }
        c.texts[collapse(path, blank)] += p;
        std::size_t t = 0;
        while (t < time_steps && ++path[t] == static_cast<std::int32_t>(classes)) path[t++] = 0;
        if (t == time_steps) return c;
    }
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (unsigned seed = 0; seed < 12; ++seed) {
        const float spread = seed % 3 == 0 ? 0.5f : seed % 3 == 1 ? 2.0f : 6.0f;
        all.push_back(random_case(6, 4, seed % 2 == 0 ? 3 : 1, spread, seed));
        all.push_back(random_case(5, 5, 4, spread, 100 + seed));
        all.push_back(random_case(1, 3, 2, spread, 200 + seed));
    }
    return all;
}

// Letters for the classes, the blank among them.
Automaton automaton_for(const Case& c, const std::string& text) {
    std::vector<std::string> charset;
    for (std::size_t k = 0; k < c.classes; ++k) {
        charset.push_back(std::string(1, static_cast<char>('A' + k)));
    }
    const Result<Patterns> patterns = Patterns::parse(text, "p");
    if (!patterns) FAIL(patterns.error().message);
    Result<Automaton> automaton = build_automaton(patterns->file(), charset, c.blank);
    if (!automaton) FAIL(automaton.error().message);
    return std::move(*automaton);
}

const char* const kFormats[] = {"x : ?{1,6}", "x 0.5 : ?A\ny 0.25 : A?{0,2}",
                                "x : (A|C)(A|C)?{1,3}"};

constexpr std::size_t kWide = 5000;

std::map<Labels, double> search(const Case& c, const Automaton* automaton, std::size_t width) {
    CtcBeam beam(c.time_steps, c.classes, c.blank, width);
    beam.search(c.posterior, automaton);
    std::map<Labels, double> found;
    double last = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < beam.size(); ++i) {
        Labels buffer(c.time_steps);
        const auto labels = beam.labels(i, buffer);
        found[Labels(labels.begin(), labels.end())] = std::exp(beam.log_probability(i));
        CHECK(beam.log_probability(i) <= last);
        last = beam.log_probability(i);
    }
    CHECK(found.size() == beam.size());
    return found;
}

TEST_CASE("a wide beam finds every text with its exact probability", "[decode]") {
    for (const Case& c : cases()) {
        const std::map<Labels, double> found = search(c, nullptr, kWide);
        REQUIRE(found.size() == c.texts.size());
        for (const auto& [text, p] : c.texts) {
            REQUIRE(found.contains(text));
            CHECK(std::abs(found.at(text) - p) <= c.tolerance * p);
        }
    }
}

TEST_CASE("a wide beam with formats finds exactly the texts that have one", "[decode]") {
    for (const Case& c : cases()) {
        if (c.time_steps < 3) continue;
        for (const char* formats : kFormats) {
            const Automaton automaton = automaton_for(c, formats);
            std::map<Labels, double> expected;
            for (const auto& [text, p] : c.texts) {
                if (automaton.prior_of(text) > 0.0) expected[text] = p;
            }
            const std::map<Labels, double> found = search(c, &automaton, kWide);
            CHECK(found.size() == expected.size());
            for (const auto& [text, p] : expected) {
                REQUIRE(found.contains(text));
                CHECK(std::abs(found.at(text) - p) <= c.tolerance * p);
            }
        }
    }
}

TEST_CASE("a narrow beam never claims more than there is and always finds a text", "[decode]") {
    for (const Case& c : cases()) {
        if (c.time_steps < 3) continue;
        const Automaton automaton = automaton_for(c, kFormats[2]);
        for (const std::size_t width : {1, 2, 5}) {
            for (const Automaton* a : {static_cast<const Automaton*>(nullptr), &automaton}) {
                const std::map<Labels, double> found = search(c, a, width);
                CHECK(found.size() <= width);
                CHECK_FALSE((a == nullptr && found.empty()));
                for (const auto& [text, p] : found) {
                    CHECK(p <= c.texts.at(text) * (1.0 + c.tolerance));
                }
            }
        }
    }
}

TEST_CASE("the probability of a text is the sum over its alignments", "[decode]") {
    for (const Case& c : cases()) {
        CtcText text(c.time_steps, c.classes, c.blank);
        for (const auto& [labels, p] : c.texts) {
            CHECK(std::abs(std::exp(text.log_probability(c.posterior, labels)) - p) <=
                  c.tolerance * p);
        }
        const Labels too_long(c.time_steps + 1, c.blank == 0 ? 1 : 0);
        CHECK(text.log_probability(c.posterior, too_long) < -1e300);
    }
}

TEST_CASE("texts are summed with any class for the blank, and those that need more steps are none",
          "[decode]") {
    for (const int blank : {0, 1, 2}) {
        const Case c = random_case(5, 3, blank, 2.0f, 300 + static_cast<unsigned>(blank));
        CtcText text(c.time_steps, c.classes, c.blank);
        for (const auto& [labels, p] : c.texts) {
            CHECK(std::abs(std::exp(text.log_probability(c.posterior, labels)) - p) <=
                  c.tolerance * p);
        }
        // Between equal labels there has to be a blank.
        const Labels equal(c.time_steps - 1, blank == 0 ? 1 : 0);
        CHECK(text.log_probability(c.posterior, equal) == -std::numeric_limits<double>::infinity());
    }
}

TEST_CASE("replacing each character gives the probabilities of those texts", "[decode]") {
    for (const Case& c : cases()) {
        CtcText text(c.time_steps, c.classes, c.blank);
        std::vector<double> weights(c.time_steps * c.classes);
        for (const auto& [labels, p] : c.texts) {
            text.log_probability(c.posterior, labels);
            text.replace_each(c.posterior, labels, weights);
            for (std::size_t i = 0; i < labels.size(); ++i) {
                for (std::size_t k = 0; k < c.classes; ++k) {
                    Labels other = labels;
                    other[i] = static_cast<std::int32_t>(k);
                    const auto it = c.texts.find(other);
                    const bool is_blank = static_cast<int>(k) == c.blank;
                    const double expected = is_blank || it == c.texts.end() ? 0.0 : it->second / p;
                    CHECK(std::abs(weights[i * c.classes + k] - expected) <=
                          2.0 * c.tolerance * expected);
                }
            }
        }
    }
}

TEST_CASE("the mass of formats is the sum over their texts with priors", "[decode]") {
    for (const Case& c : cases()) {
        for (const char* formats : kFormats) {
            const Automaton automaton = automaton_for(c, formats);
            double expected = 0.0;
            for (const auto& [text, p] : c.texts) expected += p * automaton.prior_of(text);
            CtcMass mass(automaton, c.blank);
            for (int again = 0; again < 2; ++again) {
                const double found = std::exp(mass.log_mass(c.posterior));
                CHECK(std::abs(found - expected) <= c.tolerance * expected);
            }
        }
    }
}

TEST_CASE("texts count by the weight of their first character", "[decode]") {
    for (const Case& c : cases()) {
        for (const char* formats : kFormats) {
            Automaton automaton = automaton_for(c, formats);
            for (std::size_t k = 0; k < c.classes; ++k) {
                automaton.log_first[k] = -1.5 * static_cast<double>(k);
            }
            double mass = 0.0;
            std::map<Labels, double> expected;
            for (const auto& [text, p] : c.texts) {
                if (automaton.prior_of(text) == 0.0) continue;
                expected[text] = p * std::exp(-1.5 * static_cast<double>(text.front()));
                mass += expected[text] * automaton.prior_of(text);
            }
            const double found_mass = std::exp(CtcMass(automaton, c.blank).log_mass(c.posterior));
            CHECK(std::abs(found_mass - mass) <= c.tolerance * mass);
            const std::map<Labels, double> found = search(c, &automaton, kWide);
            REQUIRE(found.size() == expected.size());
            for (const auto& [text, p] : expected) {
                REQUIRE(found.contains(text));
                CHECK(std::abs(found.at(text) - p) <= c.tolerance * p);
            }
        }
    }
}

TEST_CASE("characters stand where the likeliest alignment has them", "[decode]") {
    for (const Case& c : cases()) {
        CtcText text(c.time_steps, c.classes, c.blank);
        std::map<Labels, std::pair<double, Labels>> best;  // text to its likeliest path
        Labels path(c.time_steps, 0);
        for (bool more = true; more;) {
            double p = 0.0;
            for (std::size_t t = 0; t < c.time_steps; ++t) p += c.posterior.log_p(t)[path[t]];
            auto& [most, way] =
                best.try_emplace(collapse(path, c.blank), -1e300, Labels()).first->second;
            if (p > most) std::tie(most, way) = std::pair(p, path);
            std::size_t t = 0;
            while (t < c.time_steps && ++path[t] == static_cast<std::int32_t>(c.classes))
                path[t++] = 0;
            more = t < c.time_steps;
        }
        for (const auto& [labels, found] : best) {
            std::vector<CtcText::Span> spans(labels.size());
            text.align(c.posterior, labels, spans);
            Labels drawn(c.time_steps, c.blank);
            for (std::size_t i = 0; i < labels.size(); ++i) {
                REQUIRE(spans[i].first_step >= 0);
                REQUIRE(spans[i].last_step < static_cast<std::int32_t>(c.time_steps));
                for (std::int32_t t = spans[i].first_step; t <= spans[i].last_step; ++t) {
                    drawn[static_cast<std::size_t>(t)] = labels[i];
                }
            }
            CHECK(drawn == found.second);
        }
    }
}

TEST_CASE("numbers that are none do no harm", "[decode]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    Posterior posterior(2, 3);
    posterior.set(std::vector<float>{nan, nan, nan, infinity, -infinity, 3e38f}, 1.0);
    for (std::size_t t = 0; t < 2; ++t) {
        double sum = 0.0;
        for (std::size_t k = 0; k < 3; ++k) {
            CHECK(std::isfinite(posterior.log_p(t)[k]));
            sum += posterior.p(t)[k];
        }
        CHECK(std::abs(sum - 1.0) < 1e-12);
    }
    CHECK(posterior.p(1)[0] > 0.49);
}

TEST_CASE("a higher temperature makes the network less sure", "[decode]") {
    Posterior posterior(1, 2);
    posterior.set(std::vector<float>{2.0f, 0.0f}, 2.0);
    const double expected = 1.0 / (1.0 + std::exp(-1.0));
    CHECK(std::abs(posterior.p(0)[0] - expected) < 1e-6);
}

}  // namespace
}  // namespace lprnet::test
