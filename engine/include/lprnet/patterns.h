// What the texts of plates look like: formats with priors, written in a small language.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/export.h"
#include "lprnet/model.h"

namespace lprnet {

struct PatternFile;

// Limit of the text of a set of formats; the built-in one has 2 KB.
inline constexpr std::size_t kMaxPatternBytes = 64 * 1024;

// A set of plate formats. Immutable and cheap to copy; safe to use from many threads.
//
// The text, UTF-8, one statement a line:
//
//     // a comment, to the end of the line
//     <letter> = [A-HJ-NP-Z]             a name for a piece, used by the lines below it
//     small 1  : 京<letter>#{5}          a format: its name, its prior (1 if left out), its pattern
//
// In a pattern: `#` a digit, `@` a letter A-Z, `?` any character of the model, `[...]` one of a
// set, in which a-z is a range and `#` and `@` mean what they mean outside; `<name>` a piece,
// `(a|b)` a choice, `x{n}` and `x{m,n}` x so many times; any other character itself, after `\` also
// one of those that mean something. Spaces do not count.
//
// The prior multiplies the probability that the network gives to every text of the format.
//
// Limits, so that no text keeps the parser or the search busy: kMaxPatternBytes, 64 formats, 1024
// characters a pattern with names and repeats written out, 64 names and parentheses inside each
// other. What a model makes of the formats is bounded, too (DecodeOptions::patterns).
class LPRNET_API Patterns {
public:
    // Moving copies, so that there are no patterns without formats.
    Patterns(const Patterns&) noexcept = default;
    Patterns& operator=(const Patterns&) noexcept = default;
    ~Patterns() = default;

    struct Format {
        std::string name;
        double prior = 1.0;
    };

    // `label` stands for the file in messages: "label:line:column: what is wrong", counted from 1
    // in characters. `malformed` for text that is not in the language or too large to be used.
    static Result<Patterns> parse(std::string_view text, const std::string& label) noexcept;
    // Of a regular file: a pipe, device or folder is `not_found`.
    static Result<Patterns> load(const std::string& path) noexcept;

    // Chinese plates: `cn`, the one set that is built in. `not_found` for another name.
    static Result<Patterns> builtin(std::string_view name) noexcept;
    // The text that builtin("cn") parses, to read or to start from.
    static std::string_view builtin_text() noexcept;

    // In the order of the file.
    const std::vector<Format>& formats() const noexcept LPRNET_LIFETIMEBOUND;

    // For each format whether the model has the characters to write any text of it. A decoder
    // leaves out the formats that it cannot write. The one error is `out_of_memory`.
    Result<std::vector<bool>> writable(const Model& model) const noexcept;

    // For the library's own rooms.
    const PatternFile& file() const noexcept LPRNET_LIFETIMEBOUND { return *file_; }

private:
    explicit Patterns(std::shared_ptr<const PatternFile> file) : file_(std::move(file)) {}

    std::shared_ptr<const PatternFile> file_;
};

}  // namespace lprnet
