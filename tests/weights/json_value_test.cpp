#include "weights/json_value.h"

#include "tests/catch.h"

namespace lprnet::weights {
namespace {

using test::contains;

JsonValue value_of(const std::string& text) {
    Result<JsonValue> value = read_json(text);
    if (!value) FAIL(text + " " + value.error().message);
    return std::move(*value);
}

std::string error_of(const std::string& text) {
    const Result<JsonValue> value = read_json(text);
    return value ? "no error" : value.error().message;
}

std::string repeated(const std::string& piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
}

TEST_CASE("JSON values are read", "[json]") {
    using Kind = JsonValue::Kind;
    CHECK(value_of("null").is(Kind::null));
    CHECK(value_of("true").is(Kind::boolean));
    const JsonValue whole = value_of(" 18446744073709551615 ");
    CHECK((whole.is_whole && whole.whole == 18446744073709551615U));
    const JsonValue negative = value_of("-3");
    CHECK((negative.is(Kind::number) && !negative.is_whole && negative.number == -3.0));
    CHECK(value_of("0.25").number == 0.25);
    CHECK(value_of(R"("\u7696A")").is_text("皖A"));
    const JsonValue array = value_of(R"([1, [2, "x", []], {"a": [3], "b": {}}, 4])");
    REQUIRE(array.items.size() == 4);
    CHECK(array.items[1].items[1].is_text("x"));
    REQUIRE(array.items[2].find("a") != nullptr);
    CHECK(array.items[2].find("a")->items[0].whole == 3);
    CHECK(array.items[2].find("c") == nullptr);
    CHECK(array.items[3].whole == 4);
}

TEST_CASE("what is no JSON value is refused", "[json]") {
    for (const char* text : {"", " ", "[", "]", "[1,]", "{\"a\"}", "{1:2}", "nul", "1 2", "'a'",
                             "\"", "\xFF", "\"\xFF\"", "[1}", "NaN", "-"}) {
        CHECK(error_of(text) == "is not valid JSON");
    }
    CHECK_FALSE(read_json("1e999").ok());
    CHECK_FALSE(read_json(std::string_view("[1]\0]", 5)).ok());
    CHECK(error_of(R"({"a": 1, "b": 2, "a": 3})") == "has the key 'a' twice");
}

TEST_CASE("objects of JSON have a bounded number of keys", "[json]") {
    std::string keys = "{";
    for (int i = 0; i < 300; ++i) keys += "\"k" + std::to_string(i) + "\": 1,";
    CHECK_THAT(error_of(keys + "\"last\": 1}"), contains("more than 256 keys"));
}

TEST_CASE("JSON values are shown as JSON", "[json]") {
    for (const char* text :
         {"null", "true", "[1,-2.5,\"a\\\"b\",[],{}]", "{\"a\":{\"b\":[0.1]}}"}) {
        CHECK(value_of(text).shown() == text);
    }
    CHECK(value_of("[" + repeated("1,", 10000) + "1]").shown().size() < 20000);
}

}  // namespace
}  // namespace lprnet::weights
