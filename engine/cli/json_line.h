// JSON on standard output.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace lprnet::cli {

// Prints `json` as one line. Whatever came from a file stays inside its string and does nothing to
// a terminal: bytes that are not UTF-8 become U+FFFD, and characters that the standard lets
// through, but printable() does not, are written as \uXXXX.
void print_json_line(const nlohmann::ordered_json& json);

}  // namespace lprnet::cli
