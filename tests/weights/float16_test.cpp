// All of the 65,536 numbers, and floats that are none of them.
#include "weights/float16.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.h"

namespace lprnet::weights {
namespace {

// By the definition of IEEE 754.
double by_definition(unsigned bits) {
    const double sign = bits >> 15 != 0 ? -1.0 : 1.0;
    const int exponent = static_cast<int>(bits >> 10 & 31U);
    const double fraction = (bits & 1023U) / 1024.0;
    if (exponent == 31) {
        return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
    }
    return sign *
           (exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15));
}

TEST_CASE("each number of 16 bits is the float that IEEE 754 says, and comes back",
          "[safetensors][float16]") {
    std::vector<float> finite;
    std::vector<unsigned> patterns;
    for (unsigned bits = 0; bits <= 0xFFFF; ++bits) {
        const float found = to_float({static_cast<std::uint16_t>(bits)});
        const double expected = by_definition(bits);
        if (std::isnan(expected)) {
            if (!std::isnan(found)) FAIL(bits << " is " << found);
            continue;
        }
        if (static_cast<double>(found) != expected || std::signbit(found) != std::signbit(expected))
            FAIL(bits << " is " << found << ", expected " << expected);
        if (std::isinf(found)) continue;
        finite.push_back(found);
        patterns.push_back(bits);
    }
    CHECK(finite.size() == 2 * 31 * 1024);
    const auto back = exact_float16(finite);
    REQUIRE(back);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        if ((*back)[i].bits != patterns[i]) FAIL(finite[i] << " became " << (*back)[i].bits);
    }
}

TEST_CASE("a float between two numbers of 16 bits is none of them", "[safetensors][float16]") {
    for (unsigned bits = 0; bits < 0x7C00; ++bits) {
        const float value = to_float({static_cast<std::uint16_t>(bits)});
        for (const float towards : {-1e6F, 1e6F}) {
            const float beside = std::nextafter(value, towards);
            if (exact_float16({&beside, 1})) FAIL(beside << " is a number of 16 bits");
        }
    }
    for (const float value : {65520.0F, 65536.0F, 1e30F, std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        CHECK_FALSE(exact_float16({&value, 1}));
    }
    // One is enough.
    CHECK_FALSE(exact_float16(std::vector<float>{1.0F, 2.0F, 0.1F}));
    CHECK(exact_float16({})->empty());
}

TEST_CASE("numbers of 16 bits are equal as numbers", "[safetensors][float16]") {
    CHECK(Float16{0} == Float16{0x8000});
    CHECK_FALSE(Float16{0} == Float16{1});
    CHECK_FALSE(Float16{0x3C00} == Float16{0xBC00});
}

}  // namespace
}  // namespace lprnet::weights
