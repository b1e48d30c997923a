#include "engine/decode/automaton.h"

#include <algorithm>

#include "lprnet/decoding.h"
#include "tests/catch.h"

namespace lprnet::test {
namespace {

std::vector<std::string> charset_of(const std::vector<std::string>& more) {
    std::vector<std::string> charset = more;
    for (char c = '0'; c <= '9'; ++c) charset.push_back({c});
    for (char c = 'A'; c <= 'Z'; ++c) charset.push_back({c});
    charset.push_back("-");
    return charset;
}

class Checked {
public:
    Checked(const std::string& text, const std::vector<std::string>& more)
        : charset_(charset_of(more)) {
        Result<Patterns> patterns = Patterns::parse(text, "p");
        if (!patterns) FAIL(patterns.error().message);
        Result<Automaton> automaton =
            build_automaton(patterns->file(), charset_, static_cast<int>(charset_.size()) - 1);
        if (!automaton) FAIL(automaton.error().message);
        automaton_ = std::move(*automaton);
        formats_ = patterns->formats();
    }

    std::vector<std::int32_t> labels(const std::string& text) const {
        std::vector<std::int32_t> found;
        for (std::size_t at = 0; at < text.size();) {
            std::size_t c = 0;
            while (text.compare(at, charset_[c].size(), charset_[c]) != 0) ++c;
            found.push_back(static_cast<std::int32_t>(c));
            at += charset_[c].size();
        }
        return found;
    }
    double prior(const std::string& text) const { return automaton_.prior_of(labels(text)); }
    bool accepts(const std::string& text) const { return prior(text) > 0.0; }
    std::string format(const std::string& text) const {
        const std::int32_t state = automaton_.walk(labels(text));
        if (state == Automaton::kNone) return "";
        const std::int32_t format = automaton_.format[static_cast<std::size_t>(state)];
        return format < 0 ? "" : formats_[static_cast<std::size_t>(format)].name;
    }
    const Automaton& automaton() const { return automaton_; }

private:
    std::vector<std::string> charset_;
    Automaton automaton_;
    std::vector<Patterns::Format> formats_;
};

TEST_CASE("every piece of the language accepts what it says", "[decode]") {
    const Checked c("x : 京 [AB#] @{2} (1|2 3){1,2} ?", {"京", "沪"});
    CHECK(c.accepts("京AXY1沪"));
    CHECK(c.accepts("京7XY2311"));
    CHECK(c.accepts("京7XY1231"));
    CHECK(c.accepts("京7XY112"));
    CHECK_FALSE(c.accepts("沪AXY11"));
    CHECK_FALSE(c.accepts("京CXY11"));
    CHECK_FALSE(c.accepts("京A1Y11"));
    CHECK_FALSE(c.accepts("京AXY1"));
    CHECK_FALSE(c.accepts("京AXY1111"));
    CHECK_FALSE(c.accepts("京AXY21"));
    CHECK_FALSE(c.accepts(""));
}

TEST_CASE("a backslash takes the meaning away", "[decode]") {
    const Checked c("x : \\#\\[ [\\]\\-A]", {"#", "[", "]"});
    CHECK(c.accepts("#[]"));
    CHECK(c.accepts("#[A"));
    CHECK_FALSE(c.accepts("1[A"));
}

TEST_CASE("a repeat of zero may be missing", "[decode]") {
    const Checked c("x : A#{0,2}B", {});
    CHECK(c.accepts("AB"));
    CHECK(c.accepts("A1B"));
    CHECK(c.accepts("A12B"));
    CHECK_FALSE(c.accepts("A123B"));
}

TEST_CASE("texts of several formats have the sum of the priors", "[decode]") {
    const Checked c("x 0.5 : A#\ny 0.125 : @1", {});
    CHECK(c.prior("A2") == 0.5);
    CHECK(c.prior("B1") == 0.125);
    CHECK(c.prior("A1") == 0.625);
    CHECK(c.format("A1") == "x");
    CHECK(c.format("B1") == "y");
    CHECK(c.format("B2").empty());
}

TEST_CASE("states with the same rests are one", "[decode]") {
    CHECK(Checked("x : (A#|B#|C#)Z", {}).automaton().states() == 4);
    CHECK(Checked("x : #{7}", {}).automaton().states() == 8);
    const Automaton a = Checked("x : A{1,3}", {}).automaton();
    CHECK(a.states() == 4);
    CHECK(a.least_after == std::vector<std::int32_t>{1, 0, 0, 0});
    CHECK(a.least_before == std::vector<std::int32_t>{0, 1, 2, 3});
}

TEST_CASE("formats whose characters are missing are left out and named", "[decode]") {
    const Result<Patterns> p = Patterns::parse("a : 京#\nb : 警#\nc : [京警]#\nd : (警|#)#", "p");
    REQUIRE(p.ok());
    const std::vector<std::string> charset = charset_of({"京"});
    const int blank = static_cast<int>(charset.size()) - 1;
    CHECK(writable_formats(p->file(), charset, blank) ==
          std::vector<bool>{true, false, true, true});
    CHECK(build_automaton(p->file(), charset, blank).ok());
    const Result<Automaton> none = build_automaton(p->file(), {"x", "-"}, 1);
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().code == ErrorCode::mismatch);
    CHECK_THAT(none.error().message, contains("none of 4 formats"));
}

TEST_CASE("the blank is no character of a plate", "[decode]") {
    const Result<Patterns> p = Patterns::parse("a : \\-\nb : ?", "p");
    REQUIRE(p.ok());
    CHECK(writable_formats(p->file(), {"-"}, 0) == std::vector<bool>{false, false});
}

TEST_CASE("an automaton that would be too large is refused", "[decode]") {
    // The 12th character from the end decides: 2^12 states.
    const Result<Patterns> p = Patterns::parse("a : #{0,30}1#{12}", "p");
    REQUIRE(p.ok());
    const std::vector<std::string> charset = charset_of({});
    const Result<Automaton> a = build_automaton(p->file(), charset, 36);
    REQUIRE_FALSE(a.ok());
    CHECK(a.error().code == ErrorCode::mismatch);
}

TEST_CASE("cn accepts Chinese plates", "[decode]") {
    const Result<Patterns> cn = Patterns::builtin("cn");
    REQUIRE(cn.ok());
    const Checked c(std::string(Patterns::builtin_text()),
                    {"京", "粤", "皖", "学", "警", "挂", "港", "澳", "使", "领", "民", "航", "应",
                     "急", "军", "海"});
    const std::pair<const char*, const char*> plates[] = {
        {"京A12345", "standard"},
        {"皖AB123C", "standard"},
        {"京AABC12", "standard-rare"},
        {"京O12345", "official"},
        {"京012345", ""},
        {"京OABC12", ""},
        {"京AD12345", "energy-small"},
        {"京AF1234D", ""},
        {"京AFA1234", "energy-small"},
        {"京A12345F", "energy-large"},
        {"京A12345A", ""},
        {"京AL12345", ""},
        {"京A1234学", "trainer"},
        {"京A1234警", "police"},
        {"京AA123警", "police"},
        {"皖AU258挂", "trailer"},
        {"京AAB1C警", ""},
        {"123456使", "embassy"},
        {"使123456", "embassy"},
        {"京A1234领", "consulate"},
        {"粤ZC333港", "hong-kong"},
        {"粤Z1234澳", "macau"},
        {"粤B1234港", ""},
        {"京XA123应急", "emergency"},
        {"京A1234应急", ""},
        {"民航B0150", "aviation"},
        {"AB12345", "military"},
        {"军A12345", "military-older"},
        {"海O00000", "military-older"},
        {"海I00000", ""},
        {"WJ京12345", "armed-police"},
        {"WJ京1234A", "armed-police"},
        {"WJ1234A", "armed-police"},
        {"WJ1693015", "armed-older"},
        {"皖1946673", "tractor"},
        {"京I12345", ""},
        {"京A1234", ""},
        {"京A12I45", ""},
        {"京112345", ""},
        {"A12345", ""},
    };
    for (const auto& [text, format] : plates) {
        INFO(text);
        CHECK(c.format(text) == format);
    }
    // A clear reading of a rare plate passes for one; only what was never trained does not.
    for (const auto& format : cn->formats()) {
        CHECK((format.prior > 1.0 - static_cast<double>(reject_above(Decoder::grammar))) ==
              (format.name != "standard-rare"));
    }
    std::vector<std::string> names;
    const std::vector<std::string> charset = charset_of({"京", "粤", "皖"});
    const std::vector<bool> writable =
        writable_formats(cn->file(), charset, static_cast<int>(charset.size()) - 1);
    for (std::size_t i = 0; i < writable.size(); ++i) {
        if (!writable[i]) names.push_back(cn->formats()[i].name);
    }
    CHECK(names == std::vector<std::string>{"trainer", "trailer", "police", "consulate", "embassy",
                                            "hong-kong", "macau", "emergency", "aviation",
                                            "military-older"});
}

}  // namespace
}  // namespace lprnet::test
