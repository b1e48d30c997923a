#include "engine/cli/json_line.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "weights/printable.h"

namespace lprnet::cli {
namespace {

// Bytes of the character that `text` begins with, which is UTF-8.
std::size_t character_size(std::string_view text) {
    std::size_t size = 1;
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) ++size;
    return size;
}

// "\u202e" of a character below U+10000, as all that need it are.
std::string escape_of(std::string_view character) {
    unsigned code = static_cast<unsigned char>(character.front());
    if (character.size() > 1) code &= 0xFFU >> (character.size() + 1);
    for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned>(c) & 0x3FU);
    char text[16];
    std::snprintf(text, sizeof text, "\\u%04x", code);
    return text;
}

}  // namespace

void print_json_line(const nlohmann::ordered_json& json) {
    std::string line = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (weights::has_unprintable(line)) {
        std::string escaped;
        for (std::string_view rest = line; !rest.empty();) {
            const std::string_view character = rest.substr(0, character_size(rest));
            rest.remove_prefix(character.size());
            escaped +=
                weights::has_unprintable(character) ? escape_of(character) : std::string(character);
        }
        line = std::move(escaped);
    }
    std::puts(line.c_str());
}

}  // namespace lprnet::cli
