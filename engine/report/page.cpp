#include "engine/report/page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "engine/report/style.h"
#include "engine/text/number_text.h"
#include "weights/whole_file.h"

namespace lprnet::report {
namespace {

// Nothing of a file that strangers' names are in can load or run anything, whatever a browser makes
// of it.
constexpr std::string_view kPolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
// Above and below the confidences of plates that are nearly always, and seldom, read right.
constexpr double kGood = 0.9, kFair = 0.6;

}  // namespace

Page::Page(std::string_view title, const std::vector<Fact>& facts) {
    html_.open("html", {{"lang", "en"}}).open("head");
    html_.single("meta", {{"charset", "utf-8"}});
    html_.single("meta",
                 {{"http-equiv", "Content-Security-Policy"}, {"content", std::string(kPolicy)}});
    html_.single("meta",
                 {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    html_.single("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
    html_.leaf("title", {}, "lprnet: " + std::string(title));
    html_.style(kStyle);
    html_.close().open("body").open("main");
    html_.open("header").leaf("h1", {}, title).open("dl", {{"class", "facts"}});
    for (const Fact& fact : facts) {
        html_.open("div").leaf("dt", {}, fact.name).leaf("dd", {}, fact.value).close();
    }
    html_.close().close();
}

void Page::heading(std::string_view text) {
    html_.leaf("h2", {}, text);
}

void Page::tiles(const std::vector<Fact>& facts) {
    html_.open("div", {{"class", "tiles"}});
    for (const Fact& fact : facts) {
        html_.open("div", {{"class", "tile"}});
        html_.leaf("strong", {}, fact.value).leaf("span", {}, fact.name).close();
    }
    html_.close();
}

void Page::table(const std::vector<std::vector<std::string>>& rows) {
    html_.open("div", {{"class", "scroll"}}).open("table");
    for (std::size_t row = 0; row < rows.size(); ++row) {
        html_.open("tr");
        for (const std::string& cell : rows[row]) html_.leaf(row == 0 ? "th" : "td", {}, cell);
        html_.close();
    }
    html_.close().close();
}

void Page::more(std::size_t count, std::string_view what) {
    if (count <= kMostCrops) return;
    html_.leaf(
        "p", {},
        std::to_string(count - kMostCrops) + " more " + std::string(what) + " are not shown.");
}

Status Page::write(const std::string& path) && {
    const std::string text = "<!DOCTYPE html>\n" + std::move(html_).finish();
    const std::array<std::span<const std::byte>, 1> pieces = {std::as_bytes(std::span(text))};
    return weights::write_whole_file(path, pieces);
}

void bars(Html& html, const std::vector<Bar>& bars) {
    html.open("ul", {{"class", "bars"}});
    for (const Bar& bar : bars) {
        const double share = std::isfinite(bar.share) ? std::clamp(bar.share, 0.0, 1.0) : 0.0;
        html.open("li").open("span", {{"class", "name"}}).text(bar.name);
        html.leaf("small", {}, bar.note).close();
        html.open("span", {{"class", "track"}});
        html.leaf("i", {{"style", "width:" + fixed(100.0 * share, 2) + "%"}}, "").close();
        html.leaf("span", {{"class", "value"}}, bar.value).close();
    }
    html.close();
}

void add_crop(Html& html, const std::string& address, const std::string& shows) {
    if (address.empty()) {
        html.leaf("div", {{"class", "nothing"}}, "no picture");
        return;
    }
    html.single("img", {{"src", address}, {"alt", shows}, {"loading", "lazy"}});
}

std::string_view level(double confidence) noexcept {
    return confidence >= kGood ? "good" : confidence >= kFair ? "fair" : "poor";
}

std::string percent(double share) {
    // A candidate is there, however unlikely.
    if (share > 0.0 && share < 0.0005) return "< 0.1 %";
    return fixed(100.0 * share, 1) + " %";
}

}  // namespace lprnet::report
