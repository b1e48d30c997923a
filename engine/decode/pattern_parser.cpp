// The language of plate formats, by recursive descent.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "engine/decode/pattern_file.h"
#include "engine/text/printable.h"
#include "engine/text/utf8.h"

namespace lprnet {
namespace {

using Kind = PatternNode::Kind;

constexpr std::u32string_view kSpecial = U"#@?[]<>(){}|\\=:/";
constexpr std::uint32_t kMaxRepeat = 64;
constexpr double kLeastPrior = 1e-12;  // keeps sums of priors away from what a double cannot hold

std::u32string digits() {
    return U"0123456789";
}
std::u32string letters() {
    return U"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
}

bool is_name_character(char32_t c) {
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9') ||
           c == U'_' || c == U'-';
}

// One line of the file. Every function that returns a Result leaves the reading position at what
// its error is about, which fail() turns into a column.
class LineParser {
public:
    LineParser(PatternFile& file, std::map<std::string, std::uint32_t>& names,
               const std::string& label, std::size_t number, std::u32string line)
        : file_(file), names_(names), label_(label), number_(number), line_(std::move(line)) {}

    Status parse() {
        skip_spaces();
        if (at_end()) return {};
        return peek() == U'<' ? parse_piece() : parse_format();
    }

private:
    bool at_end() const { return at_ == line_.size(); }
    // 0 at the end: no line holds that character.
    char32_t peek() const { return at_end() ? U'\0' : line_[at_]; }

    void skip_spaces() {
        while (peek() == U' ' || peek() == U'\t') ++at_;
        if (peek() == U'/' && at_ + 1 < line_.size() && line_[at_ + 1] == U'/') at_ = line_.size();
    }

    bool accept(char32_t c) {
        skip_spaces();
        if (peek() != c) return false;
        ++at_;
        return true;
    }

    Error fail(std::size_t at, const std::string& what) const {
        return {ErrorCode::malformed, label_ + ":" + std::to_string(number_) + ":" +
                                          std::to_string(at + 1) + ": " + what};
    }

    Error expected(const std::string& what) const {
        return fail(at_, "expected " + what + ", found " +
                             (at_end() ? "the end of the line" : in_quotes(to_utf8(peek()))));
    }

    std::string word() {
        std::string text;
        while (is_name_character(peek())) text += static_cast<char>(line_[at_++]);
        return text;
    }

    std::uint32_t add(PatternNode node) {
        file_.nodes.push_back(std::move(node));
        return static_cast<std::uint32_t>(file_.nodes.size() - 1);
    }

    std::uint32_t add_characters(std::u32string characters) {
        std::sort(characters.begin(), characters.end());
        characters.erase(std::unique(characters.begin(), characters.end()), characters.end());
        PatternNode node;
        node.kind = Kind::characters;
        node.characters = std::move(characters);
        node.size = 1;
        return add(std::move(node));
    }

    // The node above `parts`; `begin` is where it starts in the line.
    Result<std::uint32_t> add_parent(Kind kind, std::vector<std::uint32_t> parts,
                                     std::size_t begin) {
        PatternNode node;
        node.kind = kind;
        for (const std::uint32_t part : parts) {
            node.size += file_.nodes[part].size;
            node.depth = std::max(node.depth, file_.nodes[part].depth + 1);
        }
        node.parts = std::move(parts);
        return add_checked(std::move(node), begin);
    }

    Result<std::uint32_t> add_checked(PatternNode node, std::size_t begin) {
        if (node.size > kMaxPatternCharacters) {
            return fail(begin,
                        "a pattern of " + std::to_string(node.size) +
                            " characters with names and repeats written out, expected at most " +
                            std::to_string(kMaxPatternCharacters));
        }
        if (node.depth > kMaxPatternDepth) {
            return fail(begin, "more than " + std::to_string(kMaxPatternDepth) +
                                   " parentheses and names inside each other");
        }
        return add(std::move(node));
    }

    Status parse_piece() {
        const std::size_t begin = ++at_;
        const std::string name = word();
        if (name.empty()) return expected("a name of letters, digits, _ and -");
        if (!accept(U'>')) return expected("'>'");
        if (names_.contains(name)) return fail(begin, "the name <" + name + "> is given twice");
        if (!accept(U'=')) return expected("'=' and a pattern");
        Result<std::uint32_t> root = parse_whole_pattern();
        if (!root) return root.error();
        names_[name] = *root;
        return {};
    }

    Status parse_format() {
        const std::size_t begin = at_;
        Patterns::Format format;
        format.name = word();
        if (format.name.empty()) return expected("the name of a format, or <name> of a piece");
        for (const Patterns::Format& other : file_.formats) {
            if (other.name == format.name) {
                return fail(begin, "the format " + format.name + " is given twice");
            }
        }
        skip_spaces();
        if (peek() != U':' && !at_end()) {
            Result<double> prior = parse_prior();
            if (!prior) return prior.error();
            format.prior = *prior;
        }
        if (!accept(U':')) return expected("a prior, or ':' and a pattern");
        Result<std::uint32_t> root = parse_whole_pattern();
        if (!root) return root.error();
        if (file_.formats.size() == kMaxPatternFormats) {
            return fail(begin, "more than " + std::to_string(kMaxPatternFormats) + " formats");
        }
        file_.formats.push_back(std::move(format));
        file_.roots.push_back(*root);
        return {};
    }

    Result<double> parse_prior() {
        const std::size_t begin = at_;
        std::string text;
        while (!at_end() && peek() != U':' && peek() != U' ' && peek() != U'\t') {
            text += to_utf8(line_[at_++]);
        }
        double prior = 0.0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), prior);
        if (error != std::errc() || end != text.data() + text.size() ||
            !(prior >= kLeastPrior && prior <= 1.0)) {
            return fail(begin, "the prior is " + in_quotes(text) +
                                   ", expected a number above 0 and at most 1");
        }
        return prior;
    }

    // Up to the end of the line.
    Result<std::uint32_t> parse_whole_pattern() {
        Result<std::uint32_t> root = parse_choice(0);
        if (root && !at_end()) return expected("the end of the pattern");
        return root;
    }

    Result<std::uint32_t> parse_choice(std::size_t depth) {
        skip_spaces();
        const std::size_t begin = at_;
        if (depth > kMaxPatternDepth) {
            return fail(begin, "more than " + std::to_string(kMaxPatternDepth) +
                                   " parentheses inside each other");
        }
        std::vector<std::uint32_t> parts;
        do {
            Result<std::uint32_t> part = parse_sequence(depth);
            if (!part) return part;
            parts.push_back(*part);
        } while (accept(U'|'));
        if (parts.size() == 1) return parts[0];
        return add_parent(Kind::choice, std::move(parts), begin);
    }

    Result<std::uint32_t> parse_sequence(std::size_t depth) {
        skip_spaces();
        const std::size_t begin = at_;
        std::vector<std::uint32_t> parts;
        for (;; skip_spaces()) {
            if (at_end() || peek() == U'|' || peek() == U')') break;
            Result<std::uint32_t> part = parse_repeated(depth);
            if (!part) return part;
            parts.push_back(*part);
        }
        if (parts.empty()) return expected("a character or another piece of a pattern");
        if (parts.size() == 1) return parts[0];
        return add_parent(Kind::sequence, std::move(parts), begin);
    }

    Result<std::uint32_t> parse_repeated(std::size_t depth) {
        const std::size_t begin = at_;
        Result<std::uint32_t> part = parse_one(depth);
        while (part && accept(U'{')) {
            const std::optional<std::uint32_t> least = number();
            std::optional<std::uint32_t> most = least;
            if (!least) return expected("a number up to " + std::to_string(kMaxRepeat));
            if (accept(U',') && !(most = number())) {
                return expected("a number up to " + std::to_string(kMaxRepeat));
            }
            if (*most < *least || *most == 0) {
                return fail(begin, "a repeat of {" + std::to_string(*least) + "," +
                                       std::to_string(*most) +
                                       "}, expected at least one and the smaller number first");
            }
            if (!accept(U'}')) return expected("'}'");
            PatternNode node;
            node.kind = Kind::repeat;
            node.least = *least;
            node.most = *most;
            node.size = file_.nodes[*part].size * *most;
            node.depth = file_.nodes[*part].depth + 1;
            node.parts = {*part};
            part = add_checked(std::move(node), begin);
        }
        return part;
    }

    std::optional<std::uint32_t> number() {
        skip_spaces();
        const std::size_t begin = at_;
        std::uint32_t value = 0;
        for (; peek() >= U'0' && peek() <= U'9' && value <= kMaxRepeat; ++at_) {
            value = value * 10 + (peek() - U'0');
        }
        if (at_ == begin || value > kMaxRepeat) {
            at_ = begin;
            return std::nullopt;
        }
        return value;
    }

    Result<std::uint32_t> parse_one(std::size_t depth) {
        switch (peek()) {
            case U'#': ++at_; return add_characters(digits());
            case U'@': ++at_; return add_characters(letters());
            case U'?': {
                ++at_;
                PatternNode node;
                node.kind = Kind::any;
                node.size = 1;
                return add(std::move(node));
            }
            case U'[': return parse_set();
            case U'<': return parse_reference();
            case U'(': {
                ++at_;
                Result<std::uint32_t> inside = parse_choice(depth + 1);
                if (inside && !accept(U')')) return expected("')' or '|'");
                return inside;
            }
            default: {
                const std::optional<char32_t> c = literal();
                if (!c) return expected("a character or another piece of a pattern");
                return add_characters(std::u32string(1, *c));
            }
        }
    }

    // A character that stands for itself, or any after a backslash.
    std::optional<char32_t> literal() {
        if (at_end()) return std::nullopt;
        if (peek() == U'\\') {
            if (at_ + 1 == line_.size()) return std::nullopt;
            at_ += 2;
            return line_[at_ - 1];
        }
        if (kSpecial.find(peek()) != std::u32string_view::npos) return std::nullopt;
        return line_[at_++];
    }

    Result<std::uint32_t> parse_reference() {
        const std::size_t begin = ++at_;
        const std::string name = word();
        if (name.empty()) return expected("a name of letters, digits, _ and -");
        if (!accept(U'>')) return expected("'>'");
        const auto it = names_.find(name);
        if (it == names_.end()) {
            return fail(begin, "the name <" + name + "> is not given on a line above");
        }
        return it->second;
    }

    Result<std::uint32_t> parse_set() {
        const std::size_t begin = at_++;
        std::u32string characters;
        while (!accept(U']')) {
            if (at_end()) return expected("']'");
            if (accept(U'#')) {
                characters += digits();
            } else if (accept(U'@')) {
                characters += letters();
            } else if (Status range = parse_range(characters); !range) {
                return range.error();
            }
        }
        if (characters.empty()) return fail(begin, "a set without a character");
        return add_characters(std::move(characters));
    }

    Status parse_range(std::u32string& characters) {
        const std::size_t begin = at_;
        const std::optional<char32_t> first = literal();
        if (!first) return expected("a character or ']'");
        if (!accept(U'-')) {
            characters += *first;
            return {};
        }
        skip_spaces();
        const std::optional<char32_t> last = literal();
        if (!last) return expected("the last character of the range");
        constexpr char32_t kLongestRange = 256;
        if (*last < *first || *last - *first > kLongestRange) {
            return fail(begin, "a range from " + in_quotes(to_utf8(*first)) + " to " +
                                   in_quotes(to_utf8(*last)) +
                                   ", expected the smaller first and at most " +
                                   std::to_string(kLongestRange) + " apart");
        }
        for (char32_t c = *first; c <= *last; ++c) characters += c;
        return {};
    }

    PatternFile& file_;
    std::map<std::string, std::uint32_t>& names_;
    const std::string& label_;
    std::size_t number_;
    std::u32string line_;
    std::size_t at_ = 0;
};

}  // namespace

Result<PatternFile> parse_patterns(std::string_view text, const std::string& label) {
    if (text.size() > kMaxPatternBytes) {
        return Error{ErrorCode::malformed, label + ": " + std::to_string(text.size()) +
                                               " bytes of patterns, expected at most " +
                                               std::to_string(kMaxPatternBytes)};
    }
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    PatternFile file;
    std::map<std::string, std::uint32_t> names;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        std::size_t bad = find_invalid_utf8(line);
        const bool is_utf8 = bad == std::string_view::npos;
        bad = std::min(bad, line.find('\0'));
        if (bad != std::string_view::npos) {
            return Error{ErrorCode::malformed,
                         label + ":" + std::to_string(number) + ":" +
                             std::to_string(to_utf32(line.substr(0, bad)).size() + 1) +
                             (is_utf8 ? ": a zero byte" : ": not valid UTF-8")};
        }
        if (Status s = LineParser(file, names, label, number, to_utf32(line)).parse(); !s) {
            return s.error();
        }
    }
    if (file.formats.empty()) {
        return Error{ErrorCode::malformed,
                     label + ": holds no format, expected a line such as  name 1 : pattern"};
    }
    return file;
}

}  // namespace lprnet
