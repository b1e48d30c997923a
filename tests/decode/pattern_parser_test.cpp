#include "engine/decode/pattern_file.h"
#include "lprnet/patterns.h"
#include "tests/catch.h"
#include "tests/paths.h"

#include <fstream>

namespace lprnet::test {
namespace {

std::string error_of(const std::string& text) {
    const Result<Patterns> patterns = Patterns::parse(text, "p");
    if (patterns) FAIL("accepted: " << text);
    CHECK(patterns.error().code == ErrorCode::malformed);
    CHECK(patterns.error().message.find('\n') == std::string::npos);
    return patterns.error().message;
}

TEST_CASE("formats keep their order, names and priors", "[decode]") {
    const Result<Patterns> patterns = Patterns::parse(
        "\xEF\xBB\xBF// heading\r\n<l> = [A-C]\r\n\r\none : 京<l>#{5} // tail\r\n two-2 "
        "0.25:@|#{2,3}",
        "p");
    if (!patterns) FAIL(patterns.error().message);
    REQUIRE(patterns->formats().size() == 2);
    CHECK(patterns->formats()[0].name == "one");
    CHECK(patterns->formats()[0].prior == 1.0);
    CHECK(patterns->formats()[1].name == "two-2");
    CHECK(patterns->formats()[1].prior == 0.25);
}

TEST_CASE("errors in patterns name line and column", "[decode]") {
    const std::pair<const char*, const char*> cases[] = {
        {"", "p: holds no format, expected a line such as  name 1 : pattern"},
        {"<a> = #", "p: holds no format"},
        {"\nx : #\nx : @", "p:3:1: the format x is given twice"},
        {"<a> = #\n<a> = @", "p:2:2: the name <a> is given twice"},
        {"x : 京<b>", "p:1:7: the name <b> is not given on a line above"},
        {"<a> = <a>", "p:1:8: the name <a> is not given on a line above"},
        {"x : 京[", "p:1:7: expected ']', found the end of the line"},
        {"x : []", "p:1:5: a set without a character"},
        {"x : [A-]", "p:1:8: expected the last character of the range, found ']'"},
        {"x : [Z-A]", "p:1:6: a range from 'Z' to 'A'"},
        {"x : [A#@", "p:1:9: expected ']'"},
        {"x : #{", "p:1:7: expected a number up to 64, found the end of the line"},
        {"x : #{99}", "p:1:7: expected a number up to 64, found '9'"},
        {"x : #{3", "p:1:8: expected '}'"},
        {"x : #{3,2}", "p:1:5: a repeat of {3,2}"},
        {"x : #{0}", "p:1:5: a repeat of {0,0}"},
        {"x : (#", "p:1:7: expected ')' or '|', found the end of the line"},
        {"x : #)", "p:1:6: expected the end of the pattern, found ')'"},
        {"x : ()", "p:1:6: expected a character or another piece of a pattern, found ')'"},
        {"x : #||#", "p:1:7: expected a character"},
        {"x :", "p:1:4: expected a character or another piece of a pattern, found the end"},
        {"x", "p:1:2: expected a prior, or ':' and a pattern, found the end of the line"},
        {"x 2 : #", "p:1:3: the prior is '2', expected a number above 0 and at most 1"},
        {"x 0 : #", "p:1:3: the prior is '0'"},
        {"x nan : #", "p:1:3: the prior is 'nan'"},
        {"x -1 : #", "p:1:3: the prior is '-1'"},
        {"x 1 #", "p:1:5: expected a prior, or ':' and a pattern, found '#'"},
        {"<> = #", "p:1:2: expected a name of letters, digits, _ and -, found '>'"},
        {"<a = #", "p:1:4: expected '>', found '='"},
        {"<a> #", "p:1:5: expected '=' and a pattern, found '#'"},
        {"京 : #", "p:1:1: expected the name of a format, or <name> of a piece, found '京'"},
        {"x : a\\", "p:1:6: expected a character or another piece of a pattern, found '\\'"},
        {"x : ]", "p:1:5: expected a character"},
        {"x : #{64}{64}", "p:1:5: a pattern of 4096 characters with names and repeats written out"},
        {"x : 京\xFF", "p:1:6: not valid UTF-8"},
    };
    for (const auto& [text, message] : cases) {
        INFO(text);
        CHECK_THAT(error_of(text), starts_with(message));
    }
    CHECK_THAT(error_of(std::string("x : #\0", 6)), starts_with("p:1:6: a zero byte"));
}

TEST_CASE("patterns are bounded", "[decode]") {
    CHECK_THAT(error_of("x : " + std::string(100, '(')), contains("parentheses inside each other"));
    CHECK_THAT(error_of(std::string(kMaxPatternBytes + 1, ' ')), contains("bytes of patterns"));
    std::string formats;
    for (int i = 0; i < 65; ++i) formats += "f" + std::to_string(i) + " : #\n";
    CHECK_THAT(error_of(formats), starts_with("p:65:1: more than 64 formats"));
    std::string names = "<n0> = #\n";
    for (int i = 1; i < 80; ++i) {
        const std::string before = std::to_string(i - 1);
        names += "<n" + std::to_string(i) + "> = (<n" + before + ">|@)\n";
    }
    CHECK_THAT(error_of(names), contains("inside each other"));
}

TEST_CASE("patterns are read from files", "[decode]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("plates.txt");
    std::ofstream(path) << "x : #\n";
    CHECK(Patterns::load(path).ok());
    std::ofstream(path) << "x : {\n";
    const Result<Patterns> bad = Patterns::load(path);
    REQUIRE_FALSE(bad.ok());
    CHECK_THAT(bad.error().message, starts_with(path + ":1:5: "));
    const Result<Patterns> missing = Patterns::load(folder.file("none.txt"));
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().code == ErrorCode::not_found);
    CHECK_FALSE(Patterns::load(folder.path()).ok());
}

TEST_CASE("cn is built in", "[decode]") {
    const Result<Patterns> cn = Patterns::builtin("cn");
    if (!cn) FAIL(cn.error().message);
    CHECK(cn->formats().front().name == "standard");
    const Result<Patterns> other = Patterns::builtin("de");
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().code == ErrorCode::not_found);
    CHECK(Patterns::parse(Patterns::builtin_text(), "cn").ok());
}

}  // namespace
}  // namespace lprnet::test
