// The shortest text of a number, against what the C++ library makes of it and reads.
#include "engine/text/number_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "tests/catch.h"

namespace lprnet {
namespace {

// The significant digits, without zeros at either end.
std::string digits_of(const std::string& number) {
    std::string digits;
    for (const char c : number.substr(0, number.find('e'))) {
        if (c >= '0' && c <= '9') digits += c;
    }
    digits.erase(0, digits.find_first_not_of('0'));
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
    return digits;
}

TEST_CASE("the shortest text of a number is read as the number", "[number_text]") {
    std::mt19937_64 random(3);
    double value = 0.0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string text = shortest_number(value);
        double read = 0.0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
        INFO(text);
        REQUIRE((error == std::errc() && end == text.data() + text.size()));
        REQUIRE(std::bit_cast<std::uint64_t>(read) == std::bit_cast<std::uint64_t>(value));
        // As few digits as the C++ library needs.
        char scientific[64];
        const auto made = std::to_chars(scientific, scientific + sizeof scientific, value,
                                        std::chars_format::scientific);
        REQUIRE(digits_of(text) == digits_of(std::string(scientific, made.ptr)));
        do {
            value = std::bit_cast<double>(random());
        } while (!std::isfinite(value));
    }
}

TEST_CASE("the shortest text has no digits that say nothing", "[number_text]") {
    CHECK(shortest_number(0.1) == "0.1");
    CHECK(shortest_number(127.5) == "127.5");
    CHECK(shortest_number(-0.0) == "-0");
    CHECK(shortest_number(-3.0) == "-3");
    CHECK(shortest_number(1e300) == "1e+300");
    CHECK(shortest_number(0.1 + 0.2) == "0.30000000000000004");
    CHECK(shortest_number(5e-324) == "5e-324");
    CHECK(shortest_number(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
    CHECK(shortest_number(std::numeric_limits<double>::infinity()) == "inf");
}

}  // namespace
}  // namespace lprnet
