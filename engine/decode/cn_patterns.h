// The built-in set of formats.
#pragma once

#include <string_view>

namespace lprnet {

// Chinese plates after GA 36-2018, in the language of patterns.h.
std::string_view cn_patterns() noexcept;
// The provinces in it, one character each.
std::string_view cn_provinces() noexcept;

}  // namespace lprnet
