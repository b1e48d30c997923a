#include "engine/report/read_page.h"

#include <utility>

namespace lprnet::report {
namespace {

void add_characters(Html& html, const Reading& reading) {
    html.open("ol", {{"class", "characters"}});
    for (const Character& character : reading.characters) {
        const auto sure = static_cast<double>(character.confidence);
        html.open("li").leaf("b", {}, character.text);
        html.leaf("span", {{"class", std::string(level(sure))}}, percent(sure));
        for (int i = 0; i < character.alternative_count; ++i) {
            const Alternative& other = character.alternatives[static_cast<std::size_t>(i)];
            html.leaf("small", {},
                      other.text + " " + percent(static_cast<double>(other.confidence)));
        }
        html.close();
    }
    html.close();
}

void add_candidates(Html& html, const Reading& reading) {
    if (reading.candidates.size() < 2) return;
    std::string others;
    for (std::size_t i = 1; i < reading.candidates.size(); ++i) {
        const Candidate& candidate = reading.candidates[i];
        others += (i == 1 ? "or " : ", ") + candidate.text + " " +
                  percent(static_cast<double>(candidate.confidence));
    }
    html.leaf("small", {}, others);
}

}  // namespace

ReadPage::ReadPage(const std::vector<Fact>& facts) : page_("Plates that were read", facts) {
    page_.html().open("section", {{"class", "readings"}});
}

void ReadPage::add(const Seen& seen, const Reading& reading) {
    if (readings_++ >= kMostCrops) return;
    Html& html = page_.html();
    html.open("article", {{"class", "reading"}});
    add_crop(html, crop_address(seen.image, seen.place), reading.text);
    html.open("div").open("div", {{"class", "plate"}});
    html.text(reading.text.empty() ? "no character" : reading.text);
    const auto sure = static_cast<double>(reading.confidence);
    html.leaf("span", {{"class", "sure " + std::string(level(sure))}}, percent(sure));
    if (seen.rejected) html.leaf("span", {{"class", "badge"}}, "likely no plate");
    if (!seen.has_format) html.leaf("span", {{"class", "badge"}}, "no format of plates");
    html.close();
    add_characters(html, reading);
    add_candidates(html, reading);
    html.leaf("div", {{"class", "path"}}, seen.path);
    if (!seen.notice.empty()) html.leaf("div", {{"class", "path fair"}}, seen.notice);
    html.close().close();
}

Status ReadPage::write(const std::string& path) && {
    page_.html().close();
    if (readings_ == 0) page_.html().leaf("p", {}, "No plate was read.");
    page_.more(readings_, "readings");
    return std::move(page_).write(path);
}

}  // namespace lprnet::report
