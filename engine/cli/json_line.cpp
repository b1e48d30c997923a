#include "engine/cli/json_line.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/text/printable.h"
#include "engine/text/utf8.h"

namespace lprnet::cli {
namespace {

// "\u202e" of a character below U+10000, as all that need it are.
std::string escape_of(std::string_view character) {
    const auto code = static_cast<unsigned>(decode_code_point(character).code);
    char text[16];
    std::snprintf(text, sizeof text, "\\u%04x", code);
    return text;
}

}  // namespace

void print_json_line(const nlohmann::ordered_json& json) {
    std::string line = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (has_unprintable(line)) {
        std::string escaped;
        for (std::string_view rest = line; !rest.empty();) {
            const std::string_view character = rest.substr(0, first_character_size(rest));
            rest.remove_prefix(character.size());
            escaped += has_unprintable(character) ? escape_of(character) : std::string(character);
        }
        line = std::move(escaped);
    }
    std::puts(line.c_str());
}

}  // namespace lprnet::cli
