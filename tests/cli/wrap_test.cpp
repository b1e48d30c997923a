#include "engine/cli/wrap.h"

#include <algorithm>
#include <random>
#include <string>

#include "tests/catch.h"

namespace lprnet::cli {
namespace {

TEST_CASE("lines are broken at blanks, and inside of words that are too wide", "[cli]") {
    CHECK(wrapped("", 10).empty());
    CHECK(wrapped("ten wide !", 10) == "ten wide !");
    CHECK(wrapped("eleven wide", 10) == "eleven\nwide");
    CHECK(wrapped("a b c d", 3, 2) == "a b\n  c d");
    CHECK(wrapped("abcdefgh i", 3) == "abc\ndef\ngh\ni");
    CHECK(wrapped("x abcdefgh", 3) == "x\nabc\ndef\ngh");
    CHECK(wrapped("京沪津渝", 5) == "京沪\n津渝");
    CHECK(wrapped("京", 1) == "京");  // a character at least
}

TEST_CASE("no line is too wide, and nothing gets lost", "[cli]") {
    std::mt19937 random(4);
    const std::string words[] = {"a", "plate", "京", "京沪津渝冀晋", "straightened", "é", "\xff"};
    for (int round = 0; round < 500; ++round) {
        std::string text;
        for (unsigned i = random() % 12; i > 0; --i) {
            text += words[random() % 7] + (random() % 3 == 0 ? "" : " ");
        }
        while (!text.empty() && text.back() == ' ') text.pop_back();
        const std::size_t width = 2 + random() % 20;
        const std::string lines = wrapped(text, width, 3);
        std::string joined;
        std::size_t begin = 0;
        for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
            end = lines.find('\n', begin);
            std::string line = lines.substr(begin, end - begin);
            if (begin > 0) {
                CHECK(line.substr(0, 3) == "   ");
                line.erase(0, 3);
            }
            INFO('"' << text << "\" in " << width << ": \"" << line << '"');
            CHECK(columns(line) <= width);
            joined += line;
        }
        std::string expected = text;
        for (std::string* s : {&joined, &expected}) {
            s->erase(std::remove(s->begin(), s->end(), ' '), s->end());
        }
        CHECK(joined == expected);
    }
}

}  // namespace
}  // namespace lprnet::cli
