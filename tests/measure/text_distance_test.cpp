// The distance of texts against its definition.
#include "engine/measure/text_distance.h"

#include <algorithm>
#include <random>

#include "engine/text/utf8.h"
#include "tests/catch.h"

namespace lprnet::measure {
namespace {

using Texts = std::vector<std::string>;

// The definition, without memory: exponential, so for short texts.
std::size_t distance_of(const Texts& a, std::size_t i, const Texts& b, std::size_t j) {
    if (i == a.size()) return b.size() - j;
    if (j == b.size()) return a.size() - i;
    if (a[i] == b[j]) return distance_of(a, i + 1, b, j + 1);
    return 1 + std::min({distance_of(a, i + 1, b, j + 1), distance_of(a, i + 1, b, j),
                         distance_of(a, i, b, j + 1)});
}

TEST_CASE("alignment of known texts", "[measure]") {
    const auto differences = [](const char* expected, const char* found) {
        return align(split_characters(expected), split_characters(found)).differences;
    };
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    CHECK(differences("", "") == Pairs{});
    CHECK(differences("京A1", "京A1") == Pairs{});
    CHECK(differences("京A1", "沪A1") == Pairs{{"京", "沪"}});
    CHECK(differences("京A1", "京1") == Pairs{{"A", ""}});
    CHECK(differences("京1", "京A1") == Pairs{{"", "A"}});
    CHECK(differences("A", "") == Pairs{{"A", ""}});
    CHECK(differences("", "A") == Pairs{{"", "A"}});
}

TEST_CASE("alignment is a shortest edit", "[measure]") {
    std::mt19937 random(7);
    const Texts alphabet = {"A", "B", "京"};
    const auto random_text = [&] {
        Texts text(random() % 7);
        for (std::string& character : text) character = alphabet[random() % alphabet.size()];
        return text;
    };
    for (int i = 0; i < 2000; ++i) {
        const Texts expected = random_text();
        const Texts found = random_text();
        const Alignment alignment = align(expected, found);
        REQUIRE(alignment.distance == distance_of(expected, 0, found, 0));
        REQUIRE(alignment.differences.size() == alignment.distance);
        REQUIRE(align(found, expected).distance == alignment.distance);
        // Every difference is one, and what is not different is shared by both texts.
        std::size_t of_expected = 0;
        std::size_t of_found = 0;
        for (const auto& [from, to] : alignment.differences) {
            REQUIRE(from != to);
            of_expected += from.empty() ? 0 : 1;
            of_found += to.empty() ? 0 : 1;
        }
        REQUIRE(expected.size() - of_expected == found.size() - of_found);
        for (const std::string& character : alphabet) {
            const auto count = [&](const Texts& text) {
                return std::count(text.begin(), text.end(), character);
            };
            std::ptrdiff_t balance = count(expected) - count(found);
            for (const auto& [from, to] : alignment.differences) {
                balance -= (from == character ? 1 : 0) - (to == character ? 1 : 0);
            }
            REQUIRE(balance == 0);
        }
    }
}

}  // namespace
}  // namespace lprnet::measure
