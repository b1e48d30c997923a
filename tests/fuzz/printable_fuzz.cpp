// Fuzz target for text from outside: made fit for a message, cut into characters, compared.
#include "engine/text/printable.h"
#include "engine/text/utf8.h"

#include <string>
#include <vector>

#include "engine/measure/text_distance.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lprnet;
using fuzz::check;

void check_printable(std::string_view text, std::size_t most) {
    const std::string shown = printable(text);
    check(!has_unprintable(shown), "printable text is not printable");
    check(has_unprintable(text) == (shown != text), "text was changed without need");
    check(printable(shown) == shown, "printable text changes once more");
    check(find_invalid_utf8(shown) == std::string_view::npos, "printable text is no UTF-8");
    // Four bytes for one, and the dots.
    check(printable(text, most).size() <= 4 * most + 3, "more text than asked for");
    check(in_quotes(text).size() <= 4 * kMaxShownBytes + 5, "a quote too long");
    if (text.size() <= most) check(printable(text, most) == shown, "text cut without need");

    const std::size_t valid = find_invalid_utf8(text);
    check(find_invalid_utf8(text.substr(0, valid)) == std::string_view::npos,
          "text before the first invalid byte is invalid");
}

// Apart, joined again and compared.
void check_distance(const std::string& a, const std::string& b) {
    const std::vector<std::string> from = split_characters(a);
    const std::vector<std::string> to = split_characters(b);
    std::string joined;
    for (const std::string& character : from) joined += character;
    check(joined == a, "characters do not make the text");
    const measure::Alignment alignment = measure::align(from, to);
    check(alignment.distance == alignment.differences.size(), "an edit is missing");
    check(alignment.distance == measure::align(to, from).distance,
          "a distance depends on its direction");
    check((alignment.distance == 0) == (from == to), "a distance of 0 between texts that differ");
    check(alignment.distance <= std::max(from.size(), to.size()), "a distance too long");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Pieces pieces(data, size);
    const std::size_t most = pieces.value<std::uint8_t>();
    const std::string first(pieces.text(pieces.value<std::uint8_t>() % 64U));
    const std::string second(pieces.rest());
    check_printable(first, most);
    check_printable(second, most);
    if (second.size() <= 256) check_distance(first, second);
    if (!has_unprintable(second)) ++fuzz::accepted;
    return 0;
}
