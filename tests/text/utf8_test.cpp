#include "engine/text/utf8.h"

#include <cstdint>
#include <string>
#include <vector>
#include "tests/catch.h"

namespace lprnet {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("every character of Unicode is written and read back", "[utf8]") {
    for (char32_t code = 1; code <= 0x10FFFF; ++code) {
        if (code == 0xD800) code = 0xE000;  // surrogates are no characters
        const std::string bytes = to_utf8(code);
        const CodePoint character = decode_code_point(bytes);
        if (character.code != code || character.size != bytes.size() ||
            first_character_size(bytes + "A") != bytes.size() ||
            to_utf32(bytes) != std::u32string(1, code)) {
            FAIL_CHECK("U+" << static_cast<std::uint32_t>(code));
        }
    }
}

TEST_CASE("bytes that begin no character", "[utf8]") {
    for (const char* bytes :
         {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE4\xBA", "\xE4\xBA\x41", "\xFF"}) {
        CHECK(decode_code_point(bytes).size == 0);
        CHECK(find_invalid_utf8("A" + std::string(bytes)) == 1);
        CHECK(to_utf32("京" + std::string(bytes)) == U"京");
    }
}

TEST_CASE("text in characters", "[utf8]") {
    CHECK(split_characters("").empty());
    CHECK(split_characters("A1") == Texts{"A", "1"});
    CHECK(split_characters("京A·é𝄞") == Texts{"京", "A", "·", "é", "𝄞"});
    // Not UTF-8: nothing is lost.
    for (const std::string& text : {std::string("\x80"),
                                    std::string("\x80\x80"
                                                "A"),
                                    std::string("A\xff\xe4")}) {
        std::string joined;
        for (const std::string& character : split_characters(text)) joined += character;
        CHECK(joined == text);
    }
}

}  // namespace
}  // namespace lprnet
