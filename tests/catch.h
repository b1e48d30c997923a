// Catch2, whichever version the distribution has.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

namespace lprnet::test {

#if __has_include(<catch2/catch_all.hpp>)
inline auto contains(const std::string& part) {
    return Catch::Matchers::ContainsSubstring(part);
}
inline auto starts_with(const std::string& part) {
    return Catch::Matchers::StartsWith(part);
}
#else
inline auto contains(const std::string& part) {
    return Catch::Contains(part);
}
inline auto starts_with(const std::string& part) {
    return Catch::StartsWith(part);
}
#endif

}  // namespace lprnet::test
