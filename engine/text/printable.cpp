#include "engine/text/printable.h"

#include "engine/text/utf8.h"

namespace lprnet {
namespace {

bool breaks_a_line_of_text(char32_t code) noexcept {
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||  // C0, delete, C1
           code == 0x2028 || code == 0x2029 ||               // line and paragraph separator
           code == 0x200E || code == 0x200F || code == 0x061C ||
           (code >= 0x202A && code <= 0x202E) ||  // direction marks, embeddings, overrides
           (code >= 0x2066 && code <= 0x2069);    // and isolates
}

void append_escaped(std::string& out, std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const CodePoint character = decode_code_point(text.substr(at));
        const std::size_t size = character.size == 0 ? 1 : character.size;
        if (size > max_bytes - at) {
            out += "...";
            break;
        }
        const std::string_view bytes = text.substr(at, size);
        if (character.size == 0 || breaks_a_line_of_text(character.code)) {
            append_escaped(out, bytes);
        } else {
            out += bytes;
        }
        at += size;
    }
    return out;
}

std::string in_quotes(std::string_view text) {
    return "'" + printable(text, kMaxShownBytes) + "'";
}

bool has_unprintable(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const CodePoint character = decode_code_point(text.substr(at));
        if (character.size == 0 || breaks_a_line_of_text(character.code)) return true;
        at += character.size;
    }
    return false;
}

}  // namespace lprnet
