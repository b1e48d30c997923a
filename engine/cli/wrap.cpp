#include "engine/cli/wrap.h"

#include <algorithm>

#include "engine/text/utf8.h"

namespace lprnet::cli {
namespace {

// The first bytes of `text` that take no more than `width` columns, at least one character.
std::size_t size_that_fits(std::string_view text, std::size_t width) noexcept {
    std::size_t size = first_character_size(text);
    while (size < text.size()) {
        const std::size_t next = first_character_size(text.substr(size));
        if (columns(text.substr(0, size + next)) > width) break;
        size += next;
    }
    return size;
}

}  // namespace

std::size_t columns(std::string_view text) noexcept {
    std::size_t count = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            ++count;
        } else if (byte >= 0xE0) {
            count += 2;
        } else if (byte >= 0xC0) {
            ++count;
        }
    }
    return count;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
    const std::string new_line = "\n" + std::string(indent, ' ');
    std::string lines;
    std::size_t used = 0;
    while (!text.empty()) {
        std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (used > 0 && used + 1 + columns(word) > width) {
            lines += new_line;
            used = 0;
        } else if (used > 0) {
            lines += ' ';
            ++used;
        }
        while (columns(word) > width) {
            const std::size_t size = size_that_fits(word, width);
            if (size == word.size()) break;  // one character, wider than a line
            lines += word.substr(0, size);
            lines += new_line;
            word.remove_prefix(size);
        }
        lines += word;
        used += columns(word);
    }
    return lines;
}

}  // namespace lprnet::cli
