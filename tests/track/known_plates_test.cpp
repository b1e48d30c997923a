#include "lprnet/known_plates.h"

#include <cmath>

#include "tests/catch.h"

namespace lprnet::test {
namespace {

std::vector<KnownPlates::Match> find(const KnownPlates& known, const std::string& text,
                                     std::size_t count = 1, double least_likelihood = 1e-3) {
    Result<std::vector<KnownPlates::Match>> matches = known.find(text, count, least_likelihood);
    if (!matches) FAIL(matches.error().message);
    return *matches;
}

TEST_CASE("the plate itself is found first and certain", "[track]") {
    const KnownPlates known({"皖A12345", "皖A12346", "京B88888"});
    const auto matches = find(known, "皖A12346", 2);
    REQUIRE_FALSE(matches.empty());
    CHECK(matches[0].index == 1);
    CHECK(matches[0].likelihood == 1.0);
}

TEST_CASE("usual confusions are likelier than others", "[track]") {
    const KnownPlates known({"皖A7B345", "皖A2B345", "皖AKB345"});
    const auto matches = find(known, "皖A1B345", 3, 0.0);
    REQUIRE(matches.size() == 3);
    CHECK(matches[0].index == 0);  // 7 is often read as 1, 2 less often, K not
    CHECK(matches[1].index == 1);
    CHECK(matches[0].likelihood > 2.0 * matches[1].likelihood);
    CHECK(matches[0].likelihood < 1.0);
}

TEST_CASE("a missed or an added character is found", "[track]") {
    const KnownPlates known({"皖A12345"});
    CHECK(find(known, "皖A1234").size() == 1);
    CHECK(find(known, "皖A112345").size() == 1);
    CHECK(find(known, "皖A12345").size() == 1);
}

TEST_CASE("another plate is not", "[track]") {
    const KnownPlates known({"皖A12345", "", "京"});
    CHECK(find(known, "粤B98760").empty());
    CHECK(find(known, "").size() <= 1);
    CHECK(find(KnownPlates({}), "皖A12345").empty());
}

TEST_CASE("characters that were never counted and broken text are compared too", "[track]") {
    const KnownPlates known({"使123456", "\xE4\xBA"});
    CHECK(find(known, "使123456").size() == 1);
    CHECK(find(known, "\xE4\xBA").size() == 1);
    CHECK(find(known, "\x80\x80\xFF", 5, 0.0).size() == 2);
}

TEST_CASE("what is longer than any plate is like nothing but itself", "[track]") {
    const std::string longest(64, 'A'), too_long(65, 'A');
    const std::string bytes = "A" + std::string(300, '\x80');
    const KnownPlates known({longest, too_long, bytes, std::string(1000000, 'A')});
    CHECK(find(known, longest, 9, 0.5).size() == 1);
    CHECK(find(known, longest.substr(1), 9).size() == 1);
    CHECK(find(known, too_long, 9).size() == 1);
    CHECK(find(known, too_long, 9)[0].index == 1);
    CHECK(find(known, bytes, 9)[0].index == 2);
    CHECK(find(known, "A", 9, 0.0).size() == 4);
    CHECK(find(known, "A", 9, std::nan("")).empty());
}

TEST_CASE("the least likelihood leaves out and changes nothing else", "[track]") {
    const KnownPlates known({"皖A7B345", "皖A2B345", "皖AKB345", "粤B98760", "皖A1B34", "A1B345"});
    const auto all = find(known, "皖A1B345", 9, 0.0);
    REQUIRE(all.size() == 6);
    for (const double least : {1e-12, 1e-6, 1e-3, 0.01, 0.5}) {
        const auto some = find(known, "皖A1B345", 9, least);
        std::size_t expected = 0;
        while (expected < all.size() && all[expected].likelihood >= least) ++expected;
        REQUIRE(some.size() == expected);
        for (std::size_t i = 0; i < some.size(); ++i) {
            CHECK(some[i].index == all[i].index);
            CHECK(some[i].likelihood == all[i].likelihood);
        }
    }
}

}  // namespace
}  // namespace lprnet::test
