#include "engine/measure/score.h"

#include <algorithm>

#include "engine/measure/text_distance.h"
#include "engine/text/utf8.h"

namespace lprnet::measure {
namespace {

double share(std::size_t part, std::size_t whole) noexcept {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_to(Score& score, const std::vector<std::string>& expected,
            const std::vector<std::string>& found, const Alignment& alignment) {
    const bool first_equal = expected.empty() || found.empty() ? expected.empty() && found.empty()
                                                               : expected.front() == found.front();
    ++score.plates;
    score.correct += expected == found ? 1 : 0;
    score.first_correct += first_equal ? 1 : 0;
    score.characters += expected.size();
    score.edits += alignment.distance;
}

}  // namespace

double Score::accuracy() const noexcept {
    return share(correct, plates);
}
double Score::first_accuracy() const noexcept {
    return share(first_correct, plates);
}
double Score::char_accuracy() const noexcept {
    return 1.0 - std::min(1.0, share(edits, characters));
}

void Evaluation::add(const std::string& text, const std::string& set, const Reading& reading) {
    const std::vector<std::string> expected = split_characters(text);
    std::vector<std::string> found;
    for (const Character& c : reading.characters) found.push_back(c.text);
    const Alignment alignment = align(expected, found);
    for (const auto& replaced : alignment.differences) ++confusions[replaced];
    reliability.add(static_cast<double>(reading.confidence), reading.text == text);
    rejected += reading.reject_score > reject_above(decoder) ? 1 : 0;
    add_to(all, expected, found, alignment);
    add_to(by_set[set], expected, found, alignment);
    add_to(by_length[expected.size()], expected, found, alignment);
}

std::vector<Confusion> Evaluation::most_confused() const {
    std::vector<Confusion> rows;
    for (const auto& [pair, count] : confusions) rows.push_back({pair.first, pair.second, count});
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
    return rows;
}

}  // namespace lprnet::measure
