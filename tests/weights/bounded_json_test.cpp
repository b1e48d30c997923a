// JSON from files: what is too much is refused before it is parsed.
#include "weights/bounded_json.h"

#include <string>

#include "tests/catch.h"

namespace lprnet::weights {
namespace {

constexpr JsonLimits kSmall = {.bytes = 1000, .depth = 3, .values = 10};

void check_refused(std::string_view text, const std::string& part,
                   const JsonLimits& limits = kSmall) {
    const Result<JsonValue> value = parse_json(text, limits);
    REQUIRE_FALSE(value);
    INFO(value.error().message);
    CHECK(value.error().code == ErrorCode::malformed);
    CHECK(value.error().message.find(part) != std::string::npos);
}

std::string repeat(const std::string& text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

TEST_CASE("JSON within its limits is parsed", "[bounded_json]") {
    for (const char* text :
         {"1", "-0", "null", "\"a\"", "[[[1]]]", "{\"a\":{\"b\":[1]}}", "[1,2,3,4,5,6,7,8,9]",
          "\"[[[[[[,,,,,,,,,,,,,,\"", "[\"\\\"[[[[,,,,,,,,,,\\\\\",1]", " [ 1 , 2 ] ", "1e-400"}) {
        INFO(text);
        CHECK(parse_json(text, kSmall).ok());
    }
}

TEST_CASE("JSON is refused at each limit", "[bounded_json]") {
    check_refused("[[[[1]]]]", "more than 3 deep at offset 3");
    check_refused("{\"a\":[{\"b\":[]}]}", "more than 3 deep");
    check_refused("[1,2,3,4,5,6,7,8,9,10]", "more than 10 values");
    check_refused("\"" + repeat("a", 1000) + "\"", "1002 bytes, expected at most 1000");
    check_refused(std::string_view("[1]\0[2]", 7), "zero byte at offset 3");
    check_refused("\"\xff\"", "UTF-8 at offset 1");
    check_refused("\"\xed\xa0\x80\"", "UTF-8");
}

TEST_CASE("JSON that is none, or none of ours, is refused", "[bounded_json]") {
    for (const char* text :
         {"",        " ",   "[",        "[1,]",        "{1:2}",  "{\"a\":1,}", "1 2",   "]",
          "}{",      "'a'", "nul",      "01",          "+1",     "1e999",      "1E400", "-1e999",
          "[1e309]", "NaN", "Infinity", "\"\\ud800\"", "\"\n\"", "/* */ 1"}) {
        INFO(text);
        CHECK_FALSE(parse_json(text, kSmall).ok());
    }
    check_refused("{\"a\":1,\"a\":2}", "the key 'a' twice");
    check_refused("{\"a\":{\"b\":1,\"\\u0062\":2}}", "the key 'b' twice");
    CHECK(parse_json("[{\"a\":1},{\"a\":2}]", kSmall).ok());
}

TEST_CASE("megabytes of JSON are refused without a deep stack", "[bounded_json]") {
    for (const char* piece :
         {"[", "{\"a\":", "[{\"a\":[", "]", "[],", "\"", "\\", "1", "0", "-", "e9"}) {
        INFO(piece);
        CHECK_FALSE(
            parse_json(repeat(piece, 700000 / std::string(piece).size()), kMetadataLimits).ok());
    }
    check_refused("[" + repeat("1,", 500000) + "1]", "values", kMetadataLimits);
    check_refused("[" + repeat("1,", 1000000) + "1]", "bytes", kMetadataLimits);
}

}  // namespace
}  // namespace lprnet::weights
