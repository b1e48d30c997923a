#include "lprnet/known_plates.h"

#include "tests/catch.h"

namespace lprnet::test {
namespace {

TEST_CASE("the plate itself is found first and certain", "[track]") {
    const KnownPlates known({"皖A12345", "皖A12346", "京B88888"});
    const auto matches = known.find("皖A12346", 2);
    REQUIRE_FALSE(matches.empty());
    CHECK(matches[0].index == 1);
    CHECK(matches[0].likelihood == 1.0);
}

TEST_CASE("usual confusions are likelier than others", "[track]") {
    const KnownPlates known({"皖A7B345", "皖A2B345", "皖AKB345"});
    const auto matches = known.find("皖A1B345", 3, 0.0);
    REQUIRE(matches.size() == 3);
    CHECK(matches[0].index == 0);  // 7 is often read as 1, 2 less often, K not
    CHECK(matches[1].index == 1);
    CHECK(matches[0].likelihood > 2.0 * matches[1].likelihood);
    CHECK(matches[0].likelihood < 1.0);
}

TEST_CASE("a missed or an added character is found", "[track]") {
    const KnownPlates known({"皖A12345"});
    CHECK(known.find("皖A1234").size() == 1);
    CHECK(known.find("皖A112345").size() == 1);
    CHECK(known.find("皖A12345").size() == 1);
}

TEST_CASE("another plate is not", "[track]") {
    const KnownPlates known({"皖A12345", "", "京"});
    CHECK(known.find("粤B98760").empty());
    CHECK(known.find("").size() <= 1);
    CHECK(KnownPlates({}).find("皖A12345").empty());
}

TEST_CASE("characters that were never counted and broken text are compared too", "[track]") {
    const KnownPlates known({"使123456", "\xE4\xBA"});
    CHECK(known.find("使123456").size() == 1);
    CHECK(known.find("\xE4\xBA").size() == 1);
    CHECK(known.find("\x80\x80\xFF", 5, 0.0).size() == 2);
}

}  // namespace
}  // namespace lprnet::test
