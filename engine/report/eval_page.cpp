#include "engine/report/eval_page.h"

#include <algorithm>
#include <utility>

#include "engine/measure/text_distance.h"
#include "engine/text/number_text.h"
#include "engine/text/utf8.h"

namespace lprnet::report {
namespace {

using measure::Confusion;
using measure::Evaluation;
using measure::Reliability;
using measure::Score;

std::vector<std::string> score_row(const std::string& name, const Score& score) {
    return {name,
            std::to_string(score.plates),
            std::to_string(score.correct),
            percent(score.accuracy()),
            percent(score.char_accuracy()),
            percent(score.first_accuracy())};
}

void add_scores(Page& page, const Evaluation& evaluation) {
    std::vector<std::vector<std::string>> rows = {
        {"set", "plates", "right", "plates right", "characters right", "first right"}};
    for (const auto& [set, score] : evaluation.by_set) {
        if (!set.empty()) rows.push_back(score_row(set, score));
    }
    for (const auto& [length, score] : evaluation.by_length)
        rows.push_back(score_row(std::to_string(length) + " characters", score));
    rows.push_back(score_row("all", evaluation.all));
    page.table(rows);
}

// Shares of plates read right over confidences: what is on the diagonal can be believed.
class ReliabilityPlot {
public:
    explicit ReliabilityPlot(Html& html) : html_(html) {}

    void add(const Reliability& reliability) {
        html_.open("div", {{"class", "plot"}});
        html_.open("svg", {{"viewBox", "0 0 420 330"},
                           {"role", "img"},
                           {"aria-label", "share of plates read right by confidence"}});
        for (int i = 0; i <= 4; ++i) add_tick(i / 4.0);
        line("ideal", 0.0, 0.0, 1.0, 1.0);
        for (std::size_t bin = 0; bin < Reliability::kBins; ++bin)
            add_bin(bin, reliability.bins()[bin]);
        label(kLeft + kWidth / 2, kTop + kHeight + 34, "middle", "confidence");
        label(kLeft - 34, 12, "start", "plates read right");
        html_.close().close();
    }

private:
    static constexpr double kLeft = 46, kTop = 24, kWidth = 346, kHeight = 260;

    static double x(double share) { return kLeft + share * kWidth; }
    static double y(double share) { return kTop + (1.0 - share) * kHeight; }

    void line(const char* kind, double x0, double y0, double x1, double y1) {
        html_.single("line", {{"class", kind},
                              {"x1", fixed(x(x0), 1)},
                              {"y1", fixed(y(y0), 1)},
                              {"x2", fixed(x(x1), 1)},
                              {"y2", fixed(y(y1), 1)}});
    }
    void label(double at_x, double at_y, const char* anchor, const std::string& text) {
        html_.leaf("text", {{"x", fixed(at_x, 1)}, {"y", fixed(at_y, 1)}, {"text-anchor", anchor}},
                   text);
    }
    void add_tick(double share) {
        line("axis", 0.0, share, 1.0, share);
        label(kLeft - 8, y(share) + 4, "end", fixed(100.0 * share, 0) + " %");
        label(x(share), kTop + kHeight + 18, "middle", fixed(100.0 * share, 0) + " %");
    }
    void add_bin(std::size_t index, const Reliability::Bin& bin) {
        if (bin.plates == 0) return;
        const double right = static_cast<double>(bin.correct) / static_cast<double>(bin.plates);
        const double width = kWidth / static_cast<double>(Reliability::kBins);
        // Where none was right a line stays to be seen.
        const double height = std::max(2.0, right * kHeight);
        html_.open("rect", {{"class", "bar"},
                            {"x", fixed(kLeft + static_cast<double>(index) * width + 1, 1)},
                            {"y", fixed(kTop + kHeight - height, 1)},
                            {"width", fixed(width - 2, 1)},
                            {"height", fixed(height, 1)}});
        html_.leaf("title", {},
                   std::to_string(bin.correct) + " of " + std::to_string(bin.plates) +
                       " right, mean confidence " +
                       percent(bin.confidence / static_cast<double>(bin.plates)));
        html_.close();
    }

    Html& html_;
};

void add_confusions(Page& page, const Evaluation& evaluation) {
    const std::vector<Confusion> confusions = evaluation.most_confused();
    if (confusions.empty()) return;
    constexpr std::size_t kShown = 25;
    page.heading("Characters that were confused");
    std::vector<Bar> rows;
    for (const Confusion& c : confusions) {
        if (rows.size() == kShown) break;
        rows.push_back(
            {(c.expected.empty() ? "nothing" : c.expected) + " read as " +
                 (c.found.empty() ? "nothing" : c.found),
             "", std::to_string(c.count),
             static_cast<double>(c.count) / static_cast<double>(confusions.front().count)});
    }
    bars(page.html(), rows);
    if (confusions.size() > kShown)
        page.html().leaf("p", {},
                         std::to_string(confusions.size() - kShown) + " more are not shown.");
}

// The characters of `text` with those in `tag` that are at fault.
void add_text(Html& html, const char* tag, const std::vector<std::string>& text,
              const std::vector<std::string>& other) {
    html.open("div", {{"class", "plate"}});
    for (std::size_t i = 0; i < text.size(); ++i) {
        // Of texts of other lengths, what is not in front of or behind the difference.
        const std::size_t from_end = text.size() - i;
        const bool front = i < other.size() && text[i] == other[i];
        const bool back = text.size() != other.size() && from_end <= other.size() &&
                          text[i] == other[other.size() - from_end];
        if (front || back) {
            html.text(text[i]);
        } else {
            html.leaf(tag, {}, text[i]);
        }
    }
    if (text.empty()) html.text("no character");
}

}  // namespace

void Misreads::add(const std::string& path, const ImageView& image, const std::string& text,
                   const Reading& reading) {
    if (reading.text == text || count_++ >= kMostCrops) return;
    const Quad whole = quad_of(Region{0, 0, image.width, image.height});
    shown_.push_back({path, crop_address(image, whole), text, reading});
}

Status write_eval_page(const std::string& path, const std::vector<Fact>& facts,
                       const Evaluation& evaluation, const Misreads& misreads) {
    Page page("Plates with labels", facts);
    page.tiles({{"plates read right", percent(evaluation.all.accuracy())},
                {"characters right", percent(evaluation.all.char_accuracy())},
                {"first characters right", percent(evaluation.all.first_accuracy())},
                {"plates", std::to_string(evaluation.all.plates)},
                {"likely no plate", std::to_string(evaluation.rejected)}});
    page.heading("By set and length");
    add_scores(page, evaluation);
    page.heading("How far confidences can be believed");
    page.html().leaf("p", {},
                     "Mean confidence " + percent(evaluation.reliability.mean_confidence()) +
                         ", expected calibration error " +
                         percent(evaluation.reliability.expected_error()) +
                         ". On the dashed line a confidence of 80 % means that 80 of 100 such "
                         "plates are read right.");
    ReliabilityPlot(page.html()).add(evaluation.reliability);
    add_confusions(page, evaluation);
    page.heading("Misread plates");
    if (misreads.shown_.empty()) page.html().leaf("p", {}, "None.");
    Html& html = page.html();
    html.open("section", {{"class", "readings"}});
    for (const Misreads::Misread& misread : misreads.shown_) {
        const std::vector<std::string> label = split_characters(misread.text);
        const std::vector<std::string> found = split_characters(misread.reading.text);
        html.open("article", {{"class", "reading"}});
        add_crop(html, misread.crop, misread.text);
        html.open("div");
        add_text(html, "ins", label, found);
        html.leaf("small", {}, " label").close();
        add_text(html, "del", found, label);
        const auto sure = static_cast<double>(misread.reading.confidence);
        html.leaf("span", {{"class", "sure " + std::string(level(sure))}}, percent(sure));
        html.leaf("small", {}, " read").close();
        html.leaf("div", {{"class", "path"}}, misread.path);
        html.close().close();
    }
    html.close();
    page.more(misreads.count_, "misread plates");
    return std::move(page).write(path);
}

}  // namespace lprnet::report
