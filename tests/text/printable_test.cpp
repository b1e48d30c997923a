// Text from outside, made fit for a message.
#include "engine/text/printable.h"
#include "engine/text/utf8.h"

#include <string>
#include "tests/catch.h"

namespace lprnet {
namespace {

TEST_CASE("ordinary text stays as it is", "[printable]") {
    for (const auto* text : {"", "backbone.0.weight", "京A·12345", "\\ ' \"", "\U0001F697"}) {
        CHECK(printable(text) == text);
        CHECK_FALSE(has_unprintable(text));
        CHECK(find_invalid_utf8(text) == std::string::npos);
    }
}

TEST_CASE("control characters and direction marks are escaped", "[printable]") {
    CHECK(printable(std::string_view("a\0\n\r\x1b\x7f", 6)) == "a\\x00\\x0a\\x0d\\x1b\\x7f");
    CHECK(printable("\xC2\x85") == "\\xc2\\x85");           // U+0085, next line
    CHECK(printable("\xE2\x80\xA9") == "\\xe2\\x80\\xa9");  // U+2029, paragraph separator
    CHECK(printable("\xE2\x80\xAE") == "\\xe2\\x80\\xae");  // U+202E, right-to-left override
    CHECK(has_unprintable("\xE2\x81\xA6"));                 // U+2066, isolate
}

TEST_CASE("bytes that are not UTF-8 are found and escaped", "[printable]") {
    struct Case {
        std::string_view text;
        std::size_t offset;
        std::string_view shown;
    };
    const Case cases[] = {
        {"\x80", 0, "\\x80"},                             // a continuation alone
        {"ab\xC3", 2, "ab\\xc3"},                         // cut short
        {"\xE4\xBA", 0, "\\xe4\\xba"},                    // cut short
        {"\xC0\xAF", 0, "\\xc0\\xaf"},                    // overlong, two bytes
        {"\xE0\x9F\xBF", 0, "\\xe0\\x9f\\xbf"},           // overlong, three bytes
        {"\xF0\x8F\xBF\xBF", 0, "\\xf0\\x8f\\xbf\\xbf"},  // overlong, four bytes
        {"\xED\xA0\x80", 0, "\\xed\\xa0\\x80"},           // a surrogate
        {"\xF4\x90\x80\x80", 0, "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
        {"\xC3(", 0, "\\xc3("},                           // not a continuation
        {"\xE4\xBA(", 0, "\\xe4\\xba("},                  // not a continuation
    };
    for (const Case& one : cases) {
        CHECK(find_invalid_utf8(one.text) == one.offset);
        CHECK(has_unprintable(one.text));
        CHECK(printable(one.text) == one.shown);
    }
    for (const auto* edge : {"\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xE0\xA0\x80",
                             "\xF0\x90\x80\x80", "\xC2\xA0"}) {
        CHECK(find_invalid_utf8(edge) == std::string::npos);
    }
}

TEST_CASE("long text is cut between characters", "[printable]") {
    CHECK(printable("abcdef", 6) == "abcdef");
    CHECK(printable("abcdef", 5) == "abcde...");
    CHECK(printable("a京京", 4) == "a京...");
    CHECK(printable("a京京", 6) == "a京...");
    CHECK(printable("abc", 0) == "...");
    CHECK(in_quotes(std::string(kMaxShownBytes, 'n')) ==
          "'" + std::string(kMaxShownBytes, 'n') + "'");
    CHECK(in_quotes(std::string(kMaxShownBytes + 1, 'n')) ==
          "'" + std::string(kMaxShownBytes, 'n') + "...'");
}

}  // namespace
}  // namespace lprnet
