#include "engine/plan/tuning.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "engine/text/printable.h"
#include "lprnet/recognizer.h"

namespace lprnet {
namespace {

constexpr std::string_view kHeader = "lprnet tuning 1";
// LPRNet's has thirteen.
constexpr std::size_t kMaxChoices = 4096;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    std::size_t begin = 0;
    while ((begin = line.find_first_not_of(" \t", begin)) != std::string_view::npos) {
        const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
        words.push_back(line.substr(begin, end - begin));
        begin = end;
    }
    return words;
}

bool parse_extent(std::string_view word, int& value) {
    constexpr int kMost = 1 << 20;
    const char* end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, value);
    return error == std::errc{} && rest == end && value >= 1 && value <= kMost;
}

// "18x44"
bool parse_pair(std::string_view word, int& h, int& w) {
    const std::size_t x = word.find('x');
    return x != std::string_view::npos && parse_extent(word.substr(0, x), h) &&
           parse_extent(word.substr(x + 1), w);
}

// "35%"
bool parse_zeros(std::string_view word, int& percent) {
    if (word.empty() || word.back() != '%') return false;
    word.remove_suffix(1);
    return parse_extent(word, percent) && percent % 5 == 0 && percent <= 100;
}

// "conv 64 256 1x1 18x44 35% sparse", the share of zeros being optional.
bool parse_shape(const std::vector<std::string_view>& words, ConvShape& shape) {
    return (words.size() == 6 ||
            (words.size() == 7 && parse_zeros(words[5], shape.zero_percent))) &&
           parse_extent(words[1], shape.ic) && parse_extent(words[2], shape.oc) &&
           parse_pair(words[3], shape.kh, shape.kw) && parse_pair(words[4], shape.oh, shape.ow);
}

bool computes(const ConvAlgorithm& algorithm, const ConvShape& shape) {
    const std::vector<ConvAlgorithm> all = conv_algorithms(shape);
    return std::find(all.begin(), all.end(), algorithm) != all.end();
}

// What stands in a line behind its first word, without the blanks around it. A carriage return is
// one of them: at the end of a line it is not part of the text, wherever blanks stand beside it.
std::string_view behind(std::string_view line, std::string_view first_word) {
    constexpr std::string_view kBlanks = " \t\r";
    line.remove_prefix(line.find(first_word) + first_word.size());
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

// A text of tunings, line by line.
class TuningParser {
public:
    TuningParser(std::string_view text, const std::string& label) : text_(text), label_(label) {}

    Result<Tuning> parse() {
        if (text_.size() > kMaxTuningBytes) {
            return Error{ErrorCode::malformed, label_ + ": " + std::to_string(text_.size()) +
                                                   " bytes of tuning, expected at most " +
                                                   std::to_string(kMaxTuningBytes)};
        }
        // A byte order mark, as some editors write it.
        if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
        bool header = false;
        while (!text_.empty()) {
            const std::string_view line = next_line();
            if (header) {
                if (Status status = read_line(line); !status) return status.error();
            } else if (line != kHeader) {
                return bad("'" + std::string(kHeader) + "'", line);
            }
            header = true;
        }
        if (!header) {
            number_ = 1;
            return bad("'" + std::string(kHeader) + "'", "");
        }
        return std::move(tuning_);
    }

private:
    std::string_view next_line() noexcept {
        ++number_;
        const std::size_t end = std::min(text_.find('\n'), text_.size());
        std::string_view line = text_.substr(0, end);
        text_.remove_prefix(std::min(end + 1, text_.size()));
        while (line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }

    Status read_line(std::string_view line) {
        const std::vector<std::string_view> words = words_of(line);
        if (words.empty() || words.front().front() == '#') return {};
        if (words.front() == "conv") return read_conv(line, words);
        if (words.front() == "cpu") {
            tuning_.cpu = behind(line, words.front());
        } else if (words.front() == "isa") {
            tuning_.isa = behind(line, words.front());
        } else {
            return bad("cpu, isa or conv", line);
        }
        return {};
    }

    Status read_conv(std::string_view line, const std::vector<std::string_view>& words) {
        ConvAlgorithm algorithm;
        ConvShape shape;
        const bool any = words.size() == 3 && words[1] == "*";
        if (!any && !parse_shape(words, shape)) {
            return bad("'conv IC OC KHxKW OHxOW [ZEROS%] ALGORITHM'", line);
        }
        if (!parse_algorithm(std::string(words.back()), algorithm) ||
            (!any && !computes(algorithm, shape))) {
            return bad("an algorithm that computes this convolution", words.back());
        }
        if (any) {
            tuning_.every = algorithm;
            return {};
        }
        tuning_.choices[shape] = algorithm;
        if (tuning_.choices.size() > kMaxChoices) {
            return bad("at most " + std::to_string(kMaxChoices) + " convolutions", line);
        }
        return {};
    }

    Error bad(const std::string& expected, std::string_view found) const {
        return {ErrorCode::malformed, label_ + ": line " + std::to_string(number_) + ": expected " +
                                          expected + ", found " + in_quotes(std::string(found))};
    }

    std::string_view text_;  // what is left of it
    const std::string& label_;
    int number_ = 0;  // of the line
    Tuning tuning_;
};

}  // namespace

std::optional<ConvAlgorithm> Tuning::named(const ConvShape& shape) const {
    if (const auto choice = choices.find(shape); choice != choices.end()) return choice->second;
    if (every && computes(*every, shape)) return every;
    return std::nullopt;
}

ConvAlgorithm Tuning::choose(const ConvShape& shape, const kernels::KernelTable& table) const {
    const std::optional<ConvAlgorithm> by_tuning = named(shape);
    return by_tuning && has_kernel(table, *by_tuning) ? *by_tuning
                                                      : default_algorithm(shape, table);
}

Result<Tuning> parse_tuning(std::string_view text, const std::string& label) {
    return TuningParser(text, printable(label)).parse();
}

std::string tuning_text(const Tuning& tuning) {
    std::string text = std::string(kHeader) + "\ncpu " + tuning.cpu + "\nisa " + tuning.isa + "\n";
    if (tuning.every) text += "conv * " + algorithm_text(*tuning.every) + "\n";
    for (const auto& [shape, algorithm] : tuning.choices) {
        text += "conv " + std::to_string(shape.ic) + " " + std::to_string(shape.oc) + " " +
                std::to_string(shape.kh) + "x" + std::to_string(shape.kw) + " " +
                std::to_string(shape.oh) + "x" + std::to_string(shape.ow) + " " +
                (shape.zero_percent > 0 ? std::to_string(shape.zero_percent) + "% " : "") +
                algorithm_text(algorithm) + "\n";
    }
    return text;
}

}  // namespace lprnet
