#include "engine/cli/frame_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>
#include <string>
#include <system_error>

#include "engine/image/picture.h"
#include "engine/image/rectify.h"
#include "engine/text/listed_names.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

Error wrong(std::string_view expected, std::string_view text) {
    return {ErrorCode::invalid_argument,
            "expected " + std::string(expected) + ", found " + in_quotes(text)};
}

// The number that `text` begins with, taken off it; false if there is none.
template <class Number>
bool take_number(std::string_view& text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto [next, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(next - text.data()));
    return true;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

// As many numbers as there are, between commas, and nothing else.
template <class Number>
bool parse_numbers(std::string_view text, std::span<Number> numbers) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0 && !take(text, ',')) return false;
        if (!take_number(text, numbers[i])) return false;
    }
    return text.empty();
}

bool equal_but_for_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == y;
    });
}

}  // namespace

std::string raw_format_names(std::string_view last_separator) {
    auto formats = std::to_array(kPixelFormats);
    std::stable_sort(formats.begin(), formats.end(),
                     [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    return listed_names(formats, last_separator);
}

Result<RawFormat> parse_raw_format(std::string_view text) {
    constexpr std::string_view kSyntax = "FORMAT:WIDTHxHEIGHT[:STRIDE] such as nv12:1920x1080";
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return wrong(kSyntax, text);
    const std::string_view name = text.substr(0, colon);
    const auto* known =
        std::find_if(std::begin(kPixelFormats), std::end(kPixelFormats),
                     [&](const auto& row) { return equal_but_for_case(name, row.name); });
    if (known == std::end(kPixelFormats))
        return wrong("one of the formats " + raw_format_names(", "), name);
    RawFormat raw;
    raw.format = known->format;
    std::string_view rest = text.substr(colon + 1);
    if (!take_number(rest, raw.width) || !take(rest, 'x') || !take_number(rest, raw.height))
        return wrong(kSyntax, text);
    const auto side = [](int pixels) { return pixels >= 1 && pixels <= kMaxImageSide; };
    if (!side(raw.width) || !side(raw.height))
        return wrong("a width and a height of 1 to " + std::to_string(kMaxImageSide), text);
    const std::ptrdiff_t row = row_bytes(raw.format, raw.width);
    raw.stride = row;
    if (rest.empty()) return raw;
    if (!take(rest, ':') || !take_number(rest, raw.stride) || !rest.empty())
        return wrong(kSyntax, text);
    constexpr std::ptrdiff_t kMaxStride = std::ptrdiff_t{1} << 24;  // no camera pads rows to 16 MiB
    if (raw.stride < row || raw.stride > kMaxStride)
        return wrong(
            "a stride of " + std::to_string(row) + " to " + std::to_string(kMaxStride) + " bytes",
            text);
    return raw;
}

Result<Region> parse_region(std::string_view text) {
    std::array<int, 4> v{};
    if (!parse_numbers<int>(text, v)) return wrong("x,y,width,height in pixels", text);
    return Region{v[0], v[1], v[2], v[3]};
}

Result<Quad> parse_quad(std::string_view text) {
    std::array<float, 8> v{};
    if (!parse_numbers<float>(text, v))
        return wrong("x,y,x,y,x,y,x,y in pixels, clockwise from the top left", text);
    const Quad quad = {{v[0], v[1]}, {v[2], v[3]}, {v[4], v[5]}, {v[6], v[7]}};
    if (Status status = check_quad(quad); !status) return status.error();
    return quad;
}

}  // namespace lprnet::cli
